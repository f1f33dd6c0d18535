// Original file: proto/tailtune/v1/work.proto

import type { WorkKindInput as _tailtune_v1_WorkKindInput, WorkKind as _tailtune_v1_WorkKind } from '../../tailtune/v1/WorkKind.ts';
import type { SequenceInput as _tailtune_v1_SequenceInput, Sequence as _tailtune_v1_Sequence } from '../../tailtune/v1/Sequence.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A self-contained piece of work.
 */
export interface WorkItemInput {
  'runId'?: (string);
  /**
   * Number of the item in its run, from 1; it identifies the item. An item that is published again keeps its number.
   */
  'serial'?: (number | string | Long);
  'kind'?: (_tailtune_v1_WorkKindInput);
  /**
   * Shard of the item; the worker of the shard keeps the features of its sequences.
   */
  'shard'?: (number);
  /**
   * Version of the trainable parameters: the number of optimizer steps before it; unused by PREPARE.
   */
  'parameterVersion'?: (number);
  'sequences'?: (_tailtune_v1_SequenceInput)[];
}

/**
 * A self-contained piece of work.
 */
export interface WorkItem {
  'runId': (string);
  /**
   * Number of the item in its run, from 1; it identifies the item. An item that is published again keeps its number.
   */
  'serial': (number);
  'kind': (_tailtune_v1_WorkKind);
  /**
   * Shard of the item; the worker of the shard keeps the features of its sequences.
   */
  'shard': (number);
  /**
   * Version of the trainable parameters: the number of optimizer steps before it; unused by PREPARE.
   */
  'parameterVersion': (number);
  'sequences': (_tailtune_v1_Sequence)[];
}
