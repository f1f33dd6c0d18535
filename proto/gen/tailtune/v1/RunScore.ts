// Original file: proto/tailtune/v1/work.proto


/**
 * How a run did on validation.
 */
export interface RunScoreInput {
  'loss'?: (number | string);
  'accuracy'?: (number | string);
}

/**
 * How a run did on validation.
 */
export interface RunScore {
  'loss': (number);
  'accuracy': (number);
}
