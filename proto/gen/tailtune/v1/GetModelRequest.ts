// Original file: proto/tailtune/v1/classifier.proto


export interface GetModelRequestInput {
  /**
   * The expected version; if another one is served, the call fails with NOT_FOUND. Empty: the served version.
   */
  'modelVersion'?: (string);
}

export interface GetModelRequest {
  /**
   * The expected version; if another one is served, the call fails with NOT_FOUND. Empty: the served version.
   */
  'modelVersion': (string);
}
