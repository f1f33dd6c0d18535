// Original file: proto/tailtune/v1/exchange.proto


export interface GetParametersRequestInput {
  'protocolVersion'?: (number);
  'runId'?: (string);
  'parameterVersion'?: (number);
  /**
   * SHA-256 of base weights and parameter layout, hexadecimal.
   */
  'schemaHash'?: (string);
}

export interface GetParametersRequest {
  'protocolVersion': (number);
  'runId': (string);
  'parameterVersion': (number);
  /**
   * SHA-256 of base weights and parameter layout, hexadecimal.
   */
  'schemaHash': (string);
}
