// Original file: proto/tailtune/v1/work.proto


/**
 * A micro-batch of a local step: the next `sequences` sequences of the item.
 */
export interface LocalPartInput {
  'sequences'?: (number);
  /**
   * Weight of the part: the step's gradient is the sum of weight times the gradient of the part's mean loss.
   */
  'weight'?: (number | string);
}

/**
 * A micro-batch of a local step: the next `sequences` sequences of the item.
 */
export interface LocalPart {
  'sequences': (number);
  /**
   * Weight of the part: the step's gradient is the sum of weight times the gradient of the part's mean loss.
   */
  'weight': (number);
}
