// Original file: proto/tailtune/v1/exchange.proto

import type { AnswerHeaderInput as _tailtune_v1_AnswerHeaderInput, AnswerHeader as _tailtune_v1_AnswerHeader } from '../../tailtune/v1/AnswerHeader.ts';
import type { TensorChunkInput as _tailtune_v1_TensorChunkInput, TensorChunk as _tailtune_v1_TensorChunk } from '../../tailtune/v1/TensorChunk.ts';
import type { TensorEndInput as _tailtune_v1_TensorEndInput, TensorEnd as _tailtune_v1_TensorEnd } from '../../tailtune/v1/TensorEnd.ts';

export interface PutAnswerRequestInput {
  /**
   * Only in the first message.
   */
  'header'?: (_tailtune_v1_AnswerHeaderInput | null);
  /**
   * Row-major [sequences, classes], always float32.
   */
  'logits'?: (_tailtune_v1_TensorChunkInput | null);
  /**
   * After all logits.
   */
  'tensor'?: (_tailtune_v1_TensorChunkInput | null);
  /**
   * The last message: total bytes of all chunks, including the logits.
   */
  'end'?: (_tailtune_v1_TensorEndInput | null);
  'part'?: "header"|"logits"|"tensor"|"end";
}

export interface PutAnswerRequest {
  /**
   * Only in the first message.
   */
  'header'?: (_tailtune_v1_AnswerHeader | null);
  /**
   * Row-major [sequences, classes], always float32.
   */
  'logits'?: (_tailtune_v1_TensorChunk | null);
  /**
   * After all logits.
   */
  'tensor'?: (_tailtune_v1_TensorChunk | null);
  /**
   * The last message: total bytes of all chunks, including the logits.
   */
  'end'?: (_tailtune_v1_TensorEnd | null);
  'part'?: "header"|"logits"|"tensor"|"end";
}
