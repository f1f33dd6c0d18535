// Original file: proto/tailtune/v1/work.proto


/**
 * One text, cut and padded by the plan to exactly the tokens to which its pooled rows may attend. Padding that an engine
 * adds on the right to make a rectangle is masked.
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
   * Index of the label; 0 if the kind of work doesn't use it.
   */
  'label'?: (number);
}

/**
 * One text, cut and padded by the plan to exactly the tokens to which its pooled rows may attend. Padding that an engine
 * adds on the right to make a rectangle is masked.
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
   * Index of the label; 0 if the kind of work doesn't use it.
   */
  'label': (number);
}
