// Original file: proto/tailtune/v1/classifier.proto


export interface SetMetricsInput {
  /**
   * "train", "validation" or "test".
   */
  'set'?: (string);
  'accuracy'?: (number | string);
  'loss'?: (number | string);
}

export interface SetMetrics {
  /**
   * "train", "validation" or "test".
   */
  'set': (string);
  'accuracy': (number);
  'loss': (number);
}
