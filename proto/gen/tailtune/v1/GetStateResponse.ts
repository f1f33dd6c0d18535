// Original file: proto/tailtune/v1/exchange.proto

import type { StateHeaderInput as _tailtune_v1_StateHeaderInput, StateHeader as _tailtune_v1_StateHeader } from '../../tailtune/v1/StateHeader.ts';
import type { TensorChunkInput as _tailtune_v1_TensorChunkInput, TensorChunk as _tailtune_v1_TensorChunk } from '../../tailtune/v1/TensorChunk.ts';
import type { TensorEndInput as _tailtune_v1_TensorEndInput, TensorEnd as _tailtune_v1_TensorEnd } from '../../tailtune/v1/TensorEnd.ts';

export interface GetStateResponseInput {
  'header'?: (_tailtune_v1_StateHeaderInput | null);
  'chunk'?: (_tailtune_v1_TensorChunkInput | null);
  'end'?: (_tailtune_v1_TensorEndInput | null);
  'part'?: "header"|"chunk"|"end";
}

export interface GetStateResponse {
  'header'?: (_tailtune_v1_StateHeader | null);
  'chunk'?: (_tailtune_v1_TensorChunk | null);
  'end'?: (_tailtune_v1_TensorEnd | null);
  'part'?: "header"|"chunk"|"end";
}
