// Original file: proto/tailtune/v1/work.proto


/**
 * Scores on the validation set.
 */
export interface RunScoreInput {
  'loss'?: (number | string);
  'accuracy'?: (number | string);
}

/**
 * Scores on the validation set.
 */
export interface RunScore {
  'loss': (number);
  'accuracy': (number);
}
