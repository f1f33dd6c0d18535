// Original file: proto/tailtune/v1/work.proto

import type { TailSpecInput as _tailtune_v1_TailSpecInput, TailSpec as _tailtune_v1_TailSpec } from '../../tailtune/v1/TailSpec.ts';
import type { TrunkPrecisionInput as _tailtune_v1_TrunkPrecisionInput, TrunkPrecision as _tailtune_v1_TrunkPrecision } from '../../tailtune/v1/TrunkPrecision.ts';

/**
 * Description of a run for workers.
 */
export interface RunSpecInput {
  'runId'?: (string);
  /**
   * SHA-256 of the base weights, hexadecimal.
   */
  'modelHash'?: (string);
  'tail'?: (_tailtune_v1_TailSpecInput | null);
  'shards'?: (number);
  /**
   * HOST:PORT of the coordinator's gRPC server; empty if the workers run in its process.
   */
  'tensorsAddress'?: (string);
  'trunkPrecision'?: (_tailtune_v1_TrunkPrecisionInput);
  /**
   * Texts per optimizer step, if the head reads one row of every text: gradients of large weights are then sent as
   * factors. 0: gradients are dense.
   */
  'factorTexts'?: (number);
}

/**
 * Description of a run for workers.
 */
export interface RunSpec {
  'runId': (string);
  /**
   * SHA-256 of the base weights, hexadecimal.
   */
  'modelHash': (string);
  'tail': (_tailtune_v1_TailSpec | null);
  'shards': (number);
  /**
   * HOST:PORT of the coordinator's gRPC server; empty if the workers run in its process.
   */
  'tensorsAddress': (string);
  'trunkPrecision': (_tailtune_v1_TrunkPrecision);
  /**
   * Texts per optimizer step, if the head reads one row of every text: gradients of large weights are then sent as
   * factors. 0: gradients are dense.
   */
  'factorTexts': (number);
}
