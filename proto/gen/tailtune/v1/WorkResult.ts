// Original file: proto/tailtune/v1/work.proto

import type { WorkKindInput as _tailtune_v1_WorkKindInput, WorkKind as _tailtune_v1_WorkKind } from '../../tailtune/v1/WorkKind.ts';
import type { WorkFailureInput as _tailtune_v1_WorkFailureInput, WorkFailure as _tailtune_v1_WorkFailure } from '../../tailtune/v1/WorkFailure.ts';

/**
 * The answer to an item, named like it.
 */
export interface WorkResultInput {
  'runId'?: (string);
  'kind'?: (_tailtune_v1_WorkKindInput);
  'step'?: (number);
  'part'?: (number);
  'shard'?: (number);
  'parameterVersion'?: (number);
  'workerId'?: (string);
  /**
   * Logits, row-major [sequences, classes]; empty for PREPARE.
   */
  'logits'?: (number | string)[];
  /**
   * Sequences whose trunk was computed for this item, and their tokens; the others were found in the cache.
   */
  'trunkSequences'?: (number);
  'trunkTokens'?: (number);
  /**
   * Set instead of all results when the item could not be done.
   */
  'failure'?: (_tailtune_v1_WorkFailureInput | null);
  /**
   * Engine and backend that computed, as in "onnx cpu"; no trunk where nothing is frozen before the tail.
   */
  'trunkEngine'?: (string);
  'tailEngine'?: (string);
}

/**
 * The answer to an item, named like it.
 */
export interface WorkResult {
  'runId': (string);
  'kind': (_tailtune_v1_WorkKind);
  'step': (number);
  'part': (number);
  'shard': (number);
  'parameterVersion': (number);
  'workerId': (string);
  /**
   * Logits, row-major [sequences, classes]; empty for PREPARE.
   */
  'logits': (number)[];
  /**
   * Sequences whose trunk was computed for this item, and their tokens; the others were found in the cache.
   */
  'trunkSequences': (number);
  'trunkTokens': (number);
  /**
   * Set instead of all results when the item could not be done.
   */
  'failure': (_tailtune_v1_WorkFailure | null);
  /**
   * Engine and backend that computed, as in "onnx cpu"; no trunk where nothing is frozen before the tail.
   */
  'trunkEngine': (string);
  'tailEngine': (string);
}
