// Original file: proto/tailtune/v1/exchange.proto


export interface GetModelManifestRequestInput {
  'protocolVersion'?: (number);
  /**
   * Hash of the base weights, as in RunSpec.
   */
  'modelHash'?: (string);
}

export interface GetModelManifestRequest {
  'protocolVersion': (number);
  /**
   * Hash of the base weights, as in RunSpec.
   */
  'modelHash': (string);
}
