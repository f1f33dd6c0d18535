// Original file: proto/tailtune/v1/update.proto


/**
 * Factors of one AdamW step, computed once by the coordinator, because mathematical functions round differently on other machines.
 */
export interface AdamWScalarsInput {
  /**
   * Factor of a parameter that is subtracted from it, if the parameter belongs to a matrix: learning rate times weight decay.
   */
  'decay'?: (number | string);
  /**
   * Learning rate with the bias corrections of both moments.
   */
  'stepSize'?: (number | string);
  /**
   * Added to the root of the second moment, with its bias correction.
   */
  'epsilon'?: (number | string);
  /**
   * As decay, for parameters that don't belong to a matrix: biases and norms.
   */
  'vectorDecay'?: (number | string);
  /**
   * Factor of the gradient. Below 1 if the gradient's norm was above the limit.
   */
  'gradientScale'?: (number | string);
}

/**
 * Factors of one AdamW step, computed once by the coordinator, because mathematical functions round differently on other machines.
 */
export interface AdamWScalars {
  /**
   * Factor of a parameter that is subtracted from it, if the parameter belongs to a matrix: learning rate times weight decay.
   */
  'decay': (number);
  /**
   * Learning rate with the bias corrections of both moments.
   */
  'stepSize': (number);
  /**
   * Added to the root of the second moment, with its bias correction.
   */
  'epsilon': (number);
  /**
   * As decay, for parameters that don't belong to a matrix: biases and norms.
   */
  'vectorDecay': (number);
  /**
   * Factor of the gradient. Below 1 if the gradient's norm was above the limit.
   */
  'gradientScale': (number);
}
