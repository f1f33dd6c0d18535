// Original file: proto/tailtune/v1/exchange.proto


export interface StateHeaderInput {
  /**
   * Version of the state: the number of optimizer steps before it.
   */
  'parameterVersion'?: (number);
  /**
   * Whether both AdamW moments follow the parameters. Otherwise updates can't be applied to the state.
   */
  'hasMoments'?: (boolean);
}

export interface StateHeader {
  /**
   * Version of the state: the number of optimizer steps before it.
   */
  'parameterVersion': (number);
  /**
   * Whether both AdamW moments follow the parameters. Otherwise updates can't be applied to the state.
   */
  'hasMoments': (boolean);
}
