// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface TensorEndInput {
  /**
   * Total bytes of all chunks.
   */
  'byteLength'?: (number | string | Long);
}

export interface TensorEnd {
  /**
   * Total bytes of all chunks.
   */
  'byteLength': (number);
}
