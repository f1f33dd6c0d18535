// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface ModelFileInput {
  /**
   * File name without a folder, for example "model.safetensors".
   */
  'name'?: (string);
  'byteLength'?: (number | string | Long);
  /**
   * SHA-256 of the file, hexadecimal.
   */
  'sha256'?: (string);
}

export interface ModelFile {
  /**
   * File name without a folder, for example "model.safetensors".
   */
  'name': (string);
  'byteLength': (number);
  /**
   * SHA-256 of the file, hexadecimal.
   */
  'sha256': (string);
}
