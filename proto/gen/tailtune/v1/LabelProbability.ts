// Original file: proto/tailtune/v1/classifier.proto


export interface LabelProbabilityInput {
  'label'?: (string);
  /**
   * In [0, 1]; the probabilities of a text add up to 1. Calibrated: computed with the temperature of the run. If the
   * model gives texts several labels, each probability is a label's own, not calibrated.
   */
  'probability'?: (number | string);
}

export interface LabelProbability {
  'label': (string);
  /**
   * In [0, 1]; the probabilities of a text add up to 1. Calibrated: computed with the temperature of the run. If the
   * model gives texts several labels, each probability is a label's own, not calibrated.
   */
  'probability': (number);
}
