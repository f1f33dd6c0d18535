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
  /**
   * The worker's own fault, as when its engine died or it can't reach the coordinator, and not the item's: another worker
   * may do it, or this one later. The item is not acknowledged.
   */
  'ofWorker'?: (boolean);
  /**
   * Numbers the worker's own faults in a run: one that is told twice counts once.
   */
  'fault'?: (number);
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
  /**
   * The worker's own fault, as when its engine died or it can't reach the coordinator, and not the item's: another worker
   * may do it, or this one later. The item is not acknowledged.
   */
  'ofWorker': (boolean);
  /**
   * Numbers the worker's own faults in a run: one that is told twice counts once.
   */
  'fault': (number);
}
