// Original file: proto/tailtune/v1/work.proto


/**
 * Why a worker could not do an item.
 */
export interface WorkFailureInput {
  /**
   * One of the codes of shared/errors.ts.
   */
  'code'?: (string);
  'message'?: (string);
}

/**
 * Why a worker could not do an item.
 */
export interface WorkFailure {
  /**
   * One of the codes of shared/errors.ts.
   */
  'code': (string);
  'message': (string);
}
