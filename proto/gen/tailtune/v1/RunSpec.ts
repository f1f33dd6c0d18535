// Original file: proto/tailtune/v1/work.proto

import type { TailSpecInput as _tailtune_v1_TailSpecInput, TailSpec as _tailtune_v1_TailSpec } from '../../tailtune/v1/TailSpec.ts';
import type { TrunkPrecisionInput as _tailtune_v1_TrunkPrecisionInput, TrunkPrecision as _tailtune_v1_TrunkPrecision } from '../../tailtune/v1/TrunkPrecision.ts';
import type { WireFormatInput as _tailtune_v1_WireFormatInput, WireFormat as _tailtune_v1_WireFormat } from '../../tailtune/v1/WireFormat.ts';

/**
 * What a worker must know before it takes work of a run.
 */
export interface RunSpecInput {
  'runId'?: (string);
  /**
   * sha256 of the base weights, hexadecimal.
   */
  'modelHash'?: (string);
  'tail'?: (_tailtune_v1_TailSpecInput | null);
  'shards'?: (number);
  /**
   * HOST:PORT of the coordinator's tensors; empty where the workers live in its process.
   */
  'tensorsAddress'?: (string);
  'trunkPrecision'?: (_tailtune_v1_TrunkPrecisionInput);
  /**
   * float32 where absent.
   */
  'wire'?: (_tailtune_v1_WireFormatInput);
  /**
   * Both moments of AdamW travel behind the parameters, and behind what local steps took off them.
   */
  'withMoments'?: (boolean);
  '_wire'?: "wire";
  '_withMoments'?: "withMoments";
}

/**
 * What a worker must know before it takes work of a run.
 */
export interface RunSpec {
  'runId': (string);
  /**
   * sha256 of the base weights, hexadecimal.
   */
  'modelHash': (string);
  'tail': (_tailtune_v1_TailSpec | null);
  'shards': (number);
  /**
   * HOST:PORT of the coordinator's tensors; empty where the workers live in its process.
   */
  'tensorsAddress': (string);
  'trunkPrecision': (_tailtune_v1_TrunkPrecision);
  /**
   * float32 where absent.
   */
  'wire'?: (_tailtune_v1_WireFormat);
  /**
   * Both moments of AdamW travel behind the parameters, and behind what local steps took off them.
   */
  'withMoments'?: (boolean);
  '_wire'?: "wire";
  '_withMoments'?: "withMoments";
}
