// Original file: proto/tailtune/v1/classifier.proto


export interface ClassifyRequestInput {
  'text'?: (string);
  /**
   * Whether to cut a text that is too long for the model. Otherwise such a text is an error, unless the training run cut
   * its texts (--max-tokens, --pad longest).
   */
  'truncate'?: (boolean);
  /**
   * The model version that must answer; empty: the served version.
   */
  'modelVersion'?: (string);
}

export interface ClassifyRequest {
  'text': (string);
  /**
   * Whether to cut a text that is too long for the model. Otherwise such a text is an error, unless the training run cut
   * its texts (--max-tokens, --pad longest).
   */
  'truncate': (boolean);
  /**
   * The model version that must answer; empty: the served version.
   */
  'modelVersion': (string);
}
