// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface StateHeaderInput {
  /**
   * Version of the state: the number of optimizer steps before it.
   */
  'parameterVersion'?: (number);
  /**
   * Whether both AdamW moments follow the parameters. Otherwise updates can't be applied to the state.
   */
  'hasMoments'?: (boolean);
  /**
   * Offset at which the chunks begin: the one of the request if the coordinator still sends the same state, otherwise 0.
   */
  'byteOffset'?: (number | string | Long);
}

export interface StateHeader {
  /**
   * Version of the state: the number of optimizer steps before it.
   */
  'parameterVersion': (number);
  /**
   * Whether both AdamW moments follow the parameters. Otherwise updates can't be applied to the state.
   */
  'hasMoments': (boolean);
  /**
   * Offset at which the chunks begin: the one of the request if the coordinator still sends the same state, otherwise 0.
   */
  'byteOffset': (number);
}
