// Original file: proto/tailtune/v1/classifier.proto


export interface ClassifyRequestInput {
  'text'?: (string);
  /**
   * Cut a text that is longer than the model takes. Without it such a text is refused, unless the run cut its own texts
   * (--max-tokens, --pad longest).
   */
  'truncate'?: (boolean);
  /**
   * The version that must answer; empty: whichever is served.
   */
  'modelVersion'?: (string);
}

export interface ClassifyRequest {
  'text': (string);
  /**
   * Cut a text that is longer than the model takes. Without it such a text is refused, unless the run cut its own texts
   * (--max-tokens, --pad longest).
   */
  'truncate': (boolean);
  /**
   * The version that must answer; empty: whichever is served.
   */
  'modelVersion': (string);
}
