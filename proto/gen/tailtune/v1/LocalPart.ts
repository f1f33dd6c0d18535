// Original file: proto/tailtune/v1/work.proto


/**
 * A micro-batch of a local step: the next so many sequences of the item.
 */
export interface LocalPartInput {
  'sequences'?: (number);
  /**
   * The step's gradient is the sum over its parts of weight times the gradient of the part's mean loss.
   */
  'weight'?: (number | string);
}

/**
 * A micro-batch of a local step: the next so many sequences of the item.
 */
export interface LocalPart {
  'sequences': (number);
  /**
   * The step's gradient is the sum over its parts of weight times the gradient of the part's mean loss.
   */
  'weight': (number);
}
