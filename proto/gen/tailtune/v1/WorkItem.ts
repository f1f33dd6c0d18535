// Original file: proto/tailtune/v1/work.proto

import type { WorkKindInput as _tailtune_v1_WorkKindInput, WorkKind as _tailtune_v1_WorkKind } from '../../tailtune/v1/WorkKind.ts';
import type { SequenceInput as _tailtune_v1_SequenceInput, Sequence as _tailtune_v1_Sequence } from '../../tailtune/v1/Sequence.ts';
import type { LocalStepsInput as _tailtune_v1_LocalStepsInput, LocalSteps as _tailtune_v1_LocalSteps } from '../../tailtune/v1/LocalSteps.ts';

/**
 * A self-contained piece of work. (run_id, kind, parameter_version, part) names it: the plan asks for each name once.
 */
export interface WorkItemInput {
  'runId'?: (string);
  'kind'?: (_tailtune_v1_WorkKindInput);
  /**
   * Optimizer step that the item belongs to, from 0.
   */
  'step'?: (number);
  /**
   * Place of the item in the step: results are reduced in this order.
   */
  'part'?: (number);
  /**
   * Logical shard whose worker keeps the features of these sequences warm.
   */
  'shard'?: (number);
  /**
   * Version of the trainable parameters to use; unused by PREPARE.
   */
  'parameterVersion'?: (number);
  'sequences'?: (_tailtune_v1_SequenceInput)[];
  /**
   * Of LOCAL_STEPS: what its sequences are used for, in order.
   */
  'localSteps'?: (_tailtune_v1_LocalStepsInput | null);
  '_localSteps'?: "localSteps";
}

/**
 * A self-contained piece of work. (run_id, kind, parameter_version, part) names it: the plan asks for each name once.
 */
export interface WorkItem {
  'runId': (string);
  'kind': (_tailtune_v1_WorkKind);
  /**
   * Optimizer step that the item belongs to, from 0.
   */
  'step': (number);
  /**
   * Place of the item in the step: results are reduced in this order.
   */
  'part': (number);
  /**
   * Logical shard whose worker keeps the features of these sequences warm.
   */
  'shard': (number);
  /**
   * Version of the trainable parameters to use; unused by PREPARE.
   */
  'parameterVersion': (number);
  'sequences': (_tailtune_v1_Sequence)[];
  /**
   * Of LOCAL_STEPS: what its sequences are used for, in order.
   */
  'localSteps'?: (_tailtune_v1_LocalSteps | null);
  '_localSteps'?: "localSteps";
}
