// Original file: proto/tailtune/v1/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface ModelFileInput {
  /**
   * Without a folder, as in "model.safetensors".
   */
  'name'?: (string);
  'byteLength'?: (number | string | Long);
  /**
   * Hexadecimal.
   */
  'sha256'?: (string);
}

export interface ModelFile {
  /**
   * Without a folder, as in "model.safetensors".
   */
  'name': (string);
  'byteLength': (number);
  /**
   * Hexadecimal.
   */
  'sha256': (string);
}
