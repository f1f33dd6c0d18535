// Original file: proto/tailtune/v1/tensors.proto


export interface PutGradientResponseInput {
  /**
   * The item had a gradient already, and this one was ignored.
   */
  'duplicate'?: (boolean);
}

export interface PutGradientResponse {
  /**
   * The item had a gradient already, and this one was ignored.
   */
  'duplicate': (boolean);
}
