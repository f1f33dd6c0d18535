// Original file: proto/tailtune/v1/work.proto


/**
 * The reason why a worker could not compute an item.
 */
export interface WorkFailureInput {
  /**
   * One of the codes of shared/errors.ts.
   */
  'code'?: (string);
  'message'?: (string);
  /**
   * Whether the cause is the worker (its engine died, or it can't reach the coordinator) and not the item. Then the item
   * is not acknowledged: another worker may compute it, or this one later.
   */
  'ofWorker'?: (boolean);
  /**
   * Number of the failure among those caused by this worker in a run, so that a repeated report counts once.
   */
  'fault'?: (number);
}

/**
 * The reason why a worker could not compute an item.
 */
export interface WorkFailure {
  /**
   * One of the codes of shared/errors.ts.
   */
  'code': (string);
  'message': (string);
  /**
   * Whether the cause is the worker (its engine died, or it can't reach the coordinator) and not the item. Then the item
   * is not acknowledged: another worker may compute it, or this one later.
   */
  'ofWorker': (boolean);
  /**
   * Number of the failure among those caused by this worker in a run, so that a repeated report counts once.
   */
  'fault': (number);
}
