// Original file: proto/tailtune/v1/tensors.proto

import type { Long } from '@grpc/proto-loader';

export interface TensorEndInput {
  /**
   * Bytes of all chunks, and their CRC-32 (as in zlib).
   */
  'byteLength'?: (number | string | Long);
  'crc32'?: (number);
}

export interface TensorEnd {
  /**
   * Bytes of all chunks, and their CRC-32 (as in zlib).
   */
  'byteLength': (number);
  'crc32': (number);
}
