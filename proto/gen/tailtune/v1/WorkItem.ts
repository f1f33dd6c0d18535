// Original file: proto/tailtune/v1/work.proto

import type { WorkKindInput as _tailtune_v1_WorkKindInput, WorkKind as _tailtune_v1_WorkKind } from '../../tailtune/v1/WorkKind.ts';
import type { SequenceInput as _tailtune_v1_SequenceInput, Sequence as _tailtune_v1_Sequence } from '../../tailtune/v1/Sequence.ts';
import type { LocalStepsInput as _tailtune_v1_LocalStepsInput, LocalSteps as _tailtune_v1_LocalSteps } from '../../tailtune/v1/LocalSteps.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A self-contained piece of work.
 */
export interface WorkItemInput {
  'runId'?: (string);
  /**
   * Number of the item in its run, from 1 in the order of asking; it names the item. An item that is published again keeps it.
   */
  'serial'?: (number | string | Long);
  'kind'?: (_tailtune_v1_WorkKindInput);
  /**
   * Logical shard whose worker keeps the features of these sequences warm.
   */
  'shard'?: (number);
  /**
   * Version of the trainable parameters to use, which is the number of optimizer steps taken before; unused by PREPARE.
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
 * A self-contained piece of work.
 */
export interface WorkItem {
  'runId': (string);
  /**
   * Number of the item in its run, from 1 in the order of asking; it names the item. An item that is published again keeps it.
   */
  'serial': (number);
  'kind': (_tailtune_v1_WorkKind);
  /**
   * Logical shard whose worker keeps the features of these sequences warm.
   */
  'shard': (number);
  /**
   * Version of the trainable parameters to use, which is the number of optimizer steps taken before; unused by PREPARE.
   */
  'parameterVersion': (number);
  'sequences': (_tailtune_v1_Sequence)[];
  /**
   * Of LOCAL_STEPS: what its sequences are used for, in order.
   */
  'localSteps'?: (_tailtune_v1_LocalSteps | null);
  '_localSteps'?: "localSteps";
}
