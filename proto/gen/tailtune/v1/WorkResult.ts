// Original file: proto/tailtune/v1/work.proto

import type { WorkFailureInput as _tailtune_v1_WorkFailureInput, WorkFailure as _tailtune_v1_WorkFailure } from '../../tailtune/v1/WorkFailure.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The answer to an item, without its numbers: logits and tensor follow it as chunks, see PutAnswer.
 */
export interface WorkResultInput {
  'runId'?: (string);
  /**
   * The item's.
   */
  'serial'?: (number | string | Long);
  'workerId'?: (string);
  /**
   * Sequences whose trunk was computed for this item, and their tokens; the others were found in the cache.
   */
  'trunkSequences'?: (number);
  'trunkTokens'?: (number);
  /**
   * Engine and backend that computed, as in "onnx cpu"; no trunk if nothing is frozen before the tail.
   */
  'trunkEngine'?: (string);
  'tailEngine'?: (string);
  /**
   * Set instead of all results when the item could not be done.
   */
  'failure'?: (_tailtune_v1_WorkFailureInput | null);
}

/**
 * The answer to an item, without its numbers: logits and tensor follow it as chunks, see PutAnswer.
 */
export interface WorkResult {
  'runId': (string);
  /**
   * The item's.
   */
  'serial': (number);
  'workerId': (string);
  /**
   * Sequences whose trunk was computed for this item, and their tokens; the others were found in the cache.
   */
  'trunkSequences': (number);
  'trunkTokens': (number);
  /**
   * Engine and backend that computed, as in "onnx cpu"; no trunk if nothing is frozen before the tail.
   */
  'trunkEngine': (string);
  'tailEngine': (string);
  /**
   * Set instead of all results when the item could not be done.
   */
  'failure': (_tailtune_v1_WorkFailure | null);
}
