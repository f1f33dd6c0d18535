// Original file: proto/tailtune/v1/classifier.proto


export interface GetModelRequestInput {
  /**
   * NOT_FOUND where another one is served; empty: whichever is.
   */
  'modelVersion'?: (string);
}

export interface GetModelRequest {
  /**
   * NOT_FOUND where another one is served; empty: whichever is.
   */
  'modelVersion': (string);
}
