// Original file: proto/tailtune/v1/work.proto


/**
 * One text, cut and padded by the plan to exactly the tokens that its pooled rows may attend to.
 * Whatever padding an engine adds on the right to make a rectangle is never attended to.
 */
export interface SequenceInput {
  /**
   * Index of the text in the run's data; distinct texts may share tokens.
   */
  'exampleId'?: (number);
  'tokens'?: (number)[];
  /**
   * The classifier reads the mean of the final hidden states of rows [pool_from, pool_from + pool_count).
   */
  'poolFrom'?: (number);
  'poolCount'?: (number);
  /**
   * Index of the label; 0 where the kind of work has no use for it.
   */
  'label'?: (number);
}

/**
 * One text, cut and padded by the plan to exactly the tokens that its pooled rows may attend to.
 * Whatever padding an engine adds on the right to make a rectangle is never attended to.
 */
export interface Sequence {
  /**
   * Index of the text in the run's data; distinct texts may share tokens.
   */
  'exampleId': (number);
  'tokens': (number)[];
  /**
   * The classifier reads the mean of the final hidden states of rows [pool_from, pool_from + pool_count).
   */
  'poolFrom': (number);
  'poolCount': (number);
  /**
   * Index of the label; 0 where the kind of work has no use for it.
   */
  'label': (number);
}
