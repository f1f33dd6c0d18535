// Original file: proto/tailtune/v1/work.proto

import type { TrainableInput as _tailtune_v1_TrainableInput, Trainable as _tailtune_v1_Trainable } from '../../tailtune/v1/Trainable.ts';

/**
 * The part of the model that is tuned: with the base weights it says all that a worker needs to compute.
 */
export interface TailSpecInput {
  'trainable'?: (_tailtune_v1_TrainableInput);
  'classes'?: (number);
  'causal'?: (boolean);
  'loraRank'?: (number);
  /**
   * Factor on x A B.
   */
  'loraScale'?: (number | string);
}

/**
 * The part of the model that is tuned: with the base weights it says all that a worker needs to compute.
 */
export interface TailSpec {
  'trainable': (_tailtune_v1_Trainable);
  'classes': (number);
  'causal': (boolean);
  'loraRank': (number);
  /**
   * Factor on x A B.
   */
  'loraScale': (number);
}
