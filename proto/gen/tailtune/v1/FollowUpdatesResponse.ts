// Original file: proto/tailtune/v1/exchange.proto

import type { UpdateHeaderInput as _tailtune_v1_UpdateHeaderInput, UpdateHeader as _tailtune_v1_UpdateHeader } from '../../tailtune/v1/UpdateHeader.ts';
import type { TensorChunkInput as _tailtune_v1_TensorChunkInput, TensorChunk as _tailtune_v1_TensorChunk } from '../../tailtune/v1/TensorChunk.ts';
import type { TensorEndInput as _tailtune_v1_TensorEndInput, TensorEnd as _tailtune_v1_TensorEnd } from '../../tailtune/v1/TensorEnd.ts';

export interface FollowUpdatesResponseInput {
  'header'?: (_tailtune_v1_UpdateHeaderInput | null);
  'chunk'?: (_tailtune_v1_TensorChunkInput | null);
  'end'?: (_tailtune_v1_TensorEndInput | null);
  'part'?: "header"|"chunk"|"end";
}

export interface FollowUpdatesResponse {
  'header'?: (_tailtune_v1_UpdateHeader | null);
  'chunk'?: (_tailtune_v1_TensorChunk | null);
  'end'?: (_tailtune_v1_TensorEnd | null);
  'part'?: "header"|"chunk"|"end";
}
