// Original file: proto/tailtune/v1/exchange.proto

import type { TensorChunkInput as _tailtune_v1_TensorChunkInput, TensorChunk as _tailtune_v1_TensorChunk } from '../../tailtune/v1/TensorChunk.ts';
import type { TensorEndInput as _tailtune_v1_TensorEndInput, TensorEnd as _tailtune_v1_TensorEnd } from '../../tailtune/v1/TensorEnd.ts';

export interface GetParametersResponseInput {
  'chunk'?: (_tailtune_v1_TensorChunkInput | null);
  'end'?: (_tailtune_v1_TensorEndInput | null);
  'part'?: "chunk"|"end";
}

export interface GetParametersResponse {
  'chunk'?: (_tailtune_v1_TensorChunk | null);
  'end'?: (_tailtune_v1_TensorEnd | null);
  'part'?: "chunk"|"end";
}
