// Original file: proto/tailtune/v1/classifier.proto

import type { LabelProbabilityInput as _tailtune_v1_LabelProbabilityInput, LabelProbability as _tailtune_v1_LabelProbability } from '../../tailtune/v1/LabelProbability.ts';

export interface ClassificationInput {
  /**
   * The most probable label.
   */
  'label'?: (string);
  /**
   * Of every label, in the model's order.
   */
  'probabilities'?: (_tailtune_v1_LabelProbabilityInput)[];
  /**
   * Tokens that were read.
   */
  'tokenCount'?: (number);
  /**
   * The text had more.
   */
  'truncated'?: (boolean);
  /**
   * Which weights answered, as in GetModelResponse.
   */
  'modelVersion'?: (string);
}

export interface Classification {
  /**
   * The most probable label.
   */
  'label': (string);
  /**
   * Of every label, in the model's order.
   */
  'probabilities': (_tailtune_v1_LabelProbability)[];
  /**
   * Tokens that were read.
   */
  'tokenCount': (number);
  /**
   * The text had more.
   */
  'truncated': (boolean);
  /**
   * Which weights answered, as in GetModelResponse.
   */
  'modelVersion': (string);
}
