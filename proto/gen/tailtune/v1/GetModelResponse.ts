// Original file: proto/tailtune/v1/classifier.proto

import type { SetMetricsInput as _tailtune_v1_SetMetricsInput, SetMetrics as _tailtune_v1_SetMetrics } from '../../tailtune/v1/SetMetrics.ts';

export interface GetModelResponseInput {
  /**
   * Identifies the weights and the rules for reading texts; it changes if one of them changes.
   */
  'modelVersion'?: (string);
  /**
   * SHA-256 of the weights, hexadecimal.
   */
  'modelHash'?: (string);
  /**
   * Names of the labels, in the order of the logits.
   */
  'labels'?: (string)[];
  /**
   * The most tokens that a text may have.
   */
  'maxTokens'?: (number);
  /**
   * Metrics of the training run so far, one entry per set.
   */
  'metrics'?: (_tailtune_v1_SetMetricsInput)[];
}

export interface GetModelResponse {
  /**
   * Identifies the weights and the rules for reading texts; it changes if one of them changes.
   */
  'modelVersion': (string);
  /**
   * SHA-256 of the weights, hexadecimal.
   */
  'modelHash': (string);
  /**
   * Names of the labels, in the order of the logits.
   */
  'labels': (string)[];
  /**
   * The most tokens that a text may have.
   */
  'maxTokens': (number);
  /**
   * Metrics of the training run so far, one entry per set.
   */
  'metrics': (_tailtune_v1_SetMetrics)[];
}
