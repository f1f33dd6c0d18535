// Original file: proto/tailtune/v1/exchange.proto

import type { TensorChunkInput as _tailtune_v1_TensorChunkInput, TensorChunk as _tailtune_v1_TensorChunk } from '../../tailtune/v1/TensorChunk.ts';

export interface GetModelFileResponseInput {
  'chunk'?: (_tailtune_v1_TensorChunkInput | null);
}

export interface GetModelFileResponse {
  'chunk': (_tailtune_v1_TensorChunk | null);
}
