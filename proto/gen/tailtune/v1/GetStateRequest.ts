// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

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
  /**
   * Version of the state that the worker has read in part, when its stream broke. Ignored if byte_offset is 0.
   */
  'stateVersion'?: (number);
  /**
   * Bytes of that state that the worker has: whole chunks. Refused with REFUSAL_OFFSET if no chunk begins or ends there.
   */
  'byteOffset'?: (number | string | Long);
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
  /**
   * Version of the state that the worker has read in part, when its stream broke. Ignored if byte_offset is 0.
   */
  'stateVersion': (number);
  /**
   * Bytes of that state that the worker has: whole chunks. Refused with REFUSAL_OFFSET if no chunk begins or ends there.
   */
  'byteOffset': (number);
}
