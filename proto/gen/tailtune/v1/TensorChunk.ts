// Original file: proto/tailtune/v1/update.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A piece of a tensor or file. Numbers are float32, little-endian.
 */
export interface TensorChunkInput {
  /**
   * Offset of the first byte in the tensor or file; a multiple of the element size.
   */
  'byteOffset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
  /**
   * XXH64 of data, 8 bytes, big-endian; empty for a file, because the manifest has its SHA-256.
   */
  'xxh64'?: (Buffer | Uint8Array | string);
}

/**
 * A piece of a tensor or file. Numbers are float32, little-endian.
 */
export interface TensorChunk {
  /**
   * Offset of the first byte in the tensor or file; a multiple of the element size.
   */
  'byteOffset': (number);
  'data': (Buffer);
  /**
   * XXH64 of data, 8 bytes, big-endian; empty for a file, because the manifest has its SHA-256.
   */
  'xxh64': (Buffer);
}
