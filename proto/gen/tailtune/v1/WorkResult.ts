// Original file: proto/tailtune/v1/work.proto

import type { WorkFailureInput as _tailtune_v1_WorkFailureInput, WorkFailure as _tailtune_v1_WorkFailure } from '../../tailtune/v1/WorkFailure.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The answer to an item, without its numbers: logits and tensor follow as chunks, see PutAnswer.
 */
export interface WorkResultInput {
  'runId'?: (string);
  /**
   * The serial number of the item.
   */
  'serial'?: (number | string | Long);
  'workerId'?: (string);
  /**
   * Sequences that the trunk computed for this item, and their tokens; the features of the others were in the cache.
   */
  'trunkSequences'?: (number);
  'trunkTokens'?: (number);
  /**
   * Engine and backend, for example "onnx cpu"; the trunk's is empty if no block is frozen.
   */
  'trunkEngine'?: (string);
  'tailEngine'?: (string);
  /**
   * Set instead of results if the item could not be computed.
   */
  'failure'?: (_tailtune_v1_WorkFailureInput | null);
}

/**
 * The answer to an item, without its numbers: logits and tensor follow as chunks, see PutAnswer.
 */
export interface WorkResult {
  'runId': (string);
  /**
   * The serial number of the item.
   */
  'serial': (number);
  'workerId': (string);
  /**
   * Sequences that the trunk computed for this item, and their tokens; the features of the others were in the cache.
   */
  'trunkSequences': (number);
  'trunkTokens': (number);
  /**
   * Engine and backend, for example "onnx cpu"; the trunk's is empty if no block is frozen.
   */
  'trunkEngine': (string);
  'tailEngine': (string);
  /**
   * Set instead of results if the item could not be computed.
   */
  'failure': (_tailtune_v1_WorkFailure | null);
}
