// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface TensorChunkInput {
  /**
   * Place of the first byte in the tensor or file; a whole number of elements.
   */
  'byteOffset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
  /**
   * XXH64 of data, 8 bytes, big-endian; none in a file, whose sha256 is in its manifest.
   */
  'xxh64'?: (Buffer | Uint8Array | string);
}

export interface TensorChunk {
  /**
   * Place of the first byte in the tensor or file; a whole number of elements.
   */
  'byteOffset': (number);
  'data': (Buffer);
  /**
   * XXH64 of data, 8 bytes, big-endian; none in a file, whose sha256 is in its manifest.
   */
  'xxh64': (Buffer);
}
