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
   * Indices of the text's labels, ascending: one, or any number if the loss is multi_label. Only gradients use them.
   */
  'labels'?: (number)[];
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
   * Indices of the text's labels, ascending: one, or any number if the loss is multi_label. Only gradients use them.
   */
  'labels': (number)[];
}
