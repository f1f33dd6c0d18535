// Original file: proto/tailtune/v1/exchange.proto


export interface GetStateRequestInput {
  'protocolVersion'?: (number);
  'runId'?: (string);
  /**
   * Version that the worker needs. The state may have an earlier version, from which the updates lead to this one.
   */
  'parameterVersion'?: (number);
  /**
   * SHA-256 of base weights, parameter layout and form of the gradients, hexadecimal.
   */
  'schemaHash'?: (string);
}

export interface GetStateRequest {
  'protocolVersion': (number);
  'runId': (string);
  /**
   * Version that the worker needs. The state may have an earlier version, from which the updates lead to this one.
   */
  'parameterVersion': (number);
  /**
   * SHA-256 of base weights, parameter layout and form of the gradients, hexadecimal.
   */
  'schemaHash': (string);
}
