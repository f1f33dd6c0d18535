// Original file: proto/tailtune/v1/classifier.proto


export interface ClassifyRequestInput {
  'text'?: (string);
  /**
   * Cut a text that is longer than the model takes; without it such a text is refused.
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
   * Cut a text that is longer than the model takes; without it such a text is refused.
   */
  'truncate': (boolean);
  /**
   * The version that must answer; empty: whichever is served.
   */
  'modelVersion': (string);
}
