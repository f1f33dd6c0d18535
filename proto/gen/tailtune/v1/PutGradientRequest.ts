// Original file: proto/tailtune/v1/tensors.proto

import type { GradientHeaderInput as _tailtune_v1_GradientHeaderInput, GradientHeader as _tailtune_v1_GradientHeader } from '../../tailtune/v1/GradientHeader.ts';
import type { TensorChunkInput as _tailtune_v1_TensorChunkInput, TensorChunk as _tailtune_v1_TensorChunk } from '../../tailtune/v1/TensorChunk.ts';
import type { TensorEndInput as _tailtune_v1_TensorEndInput, TensorEnd as _tailtune_v1_TensorEnd } from '../../tailtune/v1/TensorEnd.ts';

export interface PutGradientRequestInput {
  /**
   * The first message, and only that.
   */
  'header'?: (_tailtune_v1_GradientHeaderInput | null);
  'chunk'?: (_tailtune_v1_TensorChunkInput | null);
  /**
   * The last message.
   */
  'end'?: (_tailtune_v1_TensorEndInput | null);
  'part'?: "header"|"chunk"|"end";
}

export interface PutGradientRequest {
  /**
   * The first message, and only that.
   */
  'header'?: (_tailtune_v1_GradientHeader | null);
  'chunk'?: (_tailtune_v1_TensorChunk | null);
  /**
   * The last message.
   */
  'end'?: (_tailtune_v1_TensorEnd | null);
  'part'?: "header"|"chunk"|"end";
}
