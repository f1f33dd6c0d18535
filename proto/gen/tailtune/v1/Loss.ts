// Original file: proto/tailtune/v1/work.proto


/**
 * The loss of a text, computed from its logits and labels.
 */
export interface LossInput {
  /**
   * False: a text has one label; cross-entropy of the softmax. True: a text has any number of labels; mean over the
   * classes of the binary cross-entropy of the sigmoid.
   */
  'multiLabel'?: (boolean);
  /**
   * Share of the target that is distributed evenly over all classes.
   */
  'labelSmoothing'?: (number | string);
  /**
   * Weight of each class in the loss; if a text has any number of labels, of the texts that have it. Empty: all 1.
   */
  'classWeights'?: (number | string)[];
}

/**
 * The loss of a text, computed from its logits and labels.
 */
export interface Loss {
  /**
   * False: a text has one label; cross-entropy of the softmax. True: a text has any number of labels; mean over the
   * classes of the binary cross-entropy of the sigmoid.
   */
  'multiLabel': (boolean);
  /**
   * Share of the target that is distributed evenly over all classes.
   */
  'labelSmoothing': (number);
  /**
   * Weight of each class in the loss; if a text has any number of labels, of the texts that have it. Empty: all 1.
   */
  'classWeights': (number)[];
}
