// Original file: proto/tailtune/v1/classifier.proto

import type { LabelProbabilityInput as _tailtune_v1_LabelProbabilityInput, LabelProbability as _tailtune_v1_LabelProbability } from '../../tailtune/v1/LabelProbability.ts';

export interface ClassificationInput {
  /**
   * The predicted label; several ones are separated by |. Empty if there is none.
   */
  'label'?: (string);
  /**
   * The probability of every label, in the order of GetModelResponse.labels.
   */
  'probabilities'?: (_tailtune_v1_LabelProbabilityInput)[];
  /**
   * Number of tokens that were read, in one or several windows.
   */
  'tokenCount'?: (number);
  /**
   * Whether the text has more tokens than that number.
   */
  'truncated'?: (boolean);
  /**
   * The model version that answered, as in GetModelResponse.
   */
  'modelVersion'?: (string);
  /**
   * The predicted labels: one, or none if no probability reaches --abstain or --threshold; any number if the model gives
   * texts several labels.
   */
  'labels'?: (string)[];
}

export interface Classification {
  /**
   * The predicted label; several ones are separated by |. Empty if there is none.
   */
  'label': (string);
  /**
   * The probability of every label, in the order of GetModelResponse.labels.
   */
  'probabilities': (_tailtune_v1_LabelProbability)[];
  /**
   * Number of tokens that were read, in one or several windows.
   */
  'tokenCount': (number);
  /**
   * Whether the text has more tokens than that number.
   */
  'truncated': (boolean);
  /**
   * The model version that answered, as in GetModelResponse.
   */
  'modelVersion': (string);
  /**
   * The predicted labels: one, or none if no probability reaches --abstain or --threshold; any number if the model gives
   * texts several labels.
   */
  'labels': (string)[];
}
