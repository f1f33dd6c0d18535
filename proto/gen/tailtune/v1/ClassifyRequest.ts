// Original file: proto/tailtune/v1/classifier.proto


export interface ClassifyRequestInput {
  'text'?: (string);
  /**
   * Whether to cut a text that is too long for the model. Otherwise such a text is an error. If the training run cut or
   * divided its texts (--long, --pad longest), the text is read in the same way, whatever this field is.
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
   * Whether to cut a text that is too long for the model. Otherwise such a text is an error. If the training run cut or
   * divided its texts (--long, --pad longest), the text is read in the same way, whatever this field is.
   */
  'truncate': (boolean);
  /**
   * The model version that must answer; empty: the served version.
   */
  'modelVersion': (string);
}
