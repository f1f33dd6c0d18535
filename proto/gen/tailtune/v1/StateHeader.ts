// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface StateHeaderInput {
  /**
   * Version of the state: the number of optimizer steps before it.
   */
  'parameterVersion'?: (number);
  /**
   * Whether the state has both AdamW moments. Otherwise updates can't be applied to it.
   */
  'hasMoments'?: (boolean);
  /**
   * Offset at which the chunks begin: the one of the request if the coordinator still sends the same state, otherwise 0.
   */
  'byteOffset'?: (number | string | Long);
  /**
   * Whether all numbers of the moments are 0, as before the first step. Then the tensor is the parameter vector only.
   */
  'zeroMoments'?: (boolean);
}

export interface StateHeader {
  /**
   * Version of the state: the number of optimizer steps before it.
   */
  'parameterVersion': (number);
  /**
   * Whether the state has both AdamW moments. Otherwise updates can't be applied to it.
   */
  'hasMoments': (boolean);
  /**
   * Offset at which the chunks begin: the one of the request if the coordinator still sends the same state, otherwise 0.
   */
  'byteOffset': (number);
  /**
   * Whether all numbers of the moments are 0, as before the first step. Then the tensor is the parameter vector only.
   */
  'zeroMoments': (boolean);
}
