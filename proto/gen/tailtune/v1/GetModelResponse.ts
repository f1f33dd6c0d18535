// Original file: proto/tailtune/v1/classifier.proto

import type { SetMetricsInput as _tailtune_v1_SetMetricsInput, SetMetrics as _tailtune_v1_SetMetrics } from '../../tailtune/v1/SetMetrics.ts';

export interface GetModelResponseInput {
  /**
   * Names weights and reading rules; it changes with any of them.
   */
  'modelVersion'?: (string);
  /**
   * sha256 of the weights, hexadecimal.
   */
  'modelHash'?: (string);
  /**
   * In the order of the logits.
   */
  'labels'?: (string)[];
  /**
   * Tokens that a text may have.
   */
  'maxTokens'?: (number);
  /**
   * Of the run that made the model, as far as it got: set by set.
   */
  'metrics'?: (_tailtune_v1_SetMetricsInput)[];
}

export interface GetModelResponse {
  /**
   * Names weights and reading rules; it changes with any of them.
   */
  'modelVersion': (string);
  /**
   * sha256 of the weights, hexadecimal.
   */
  'modelHash': (string);
  /**
   * In the order of the logits.
   */
  'labels': (string)[];
  /**
   * Tokens that a text may have.
   */
  'maxTokens': (number);
  /**
   * Of the run that made the model, as far as it got: set by set.
   */
  'metrics': (_tailtune_v1_SetMetrics)[];
}
