// Original file: proto/tailtune/v1/exchange.proto


/**
 * Factors of one AdamW step, computed once by the coordinator, because mathematical functions round differently on other machines.
 */
export interface AdamWScalarsInput {
  /**
   * Factor of the parameter that is subtracted: learning rate times weight decay.
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
}

/**
 * Factors of one AdamW step, computed once by the coordinator, because mathematical functions round differently on other machines.
 */
export interface AdamWScalars {
  /**
   * Factor of the parameter that is subtracted: learning rate times weight decay.
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
}
