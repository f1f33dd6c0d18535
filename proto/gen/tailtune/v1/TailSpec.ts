// Original file: proto/tailtune/v1/work.proto

import type { TrainableInput as _tailtune_v1_TrainableInput, Trainable as _tailtune_v1_Trainable } from '../../tailtune/v1/Trainable.ts';
import type { LossInput as _tailtune_v1_LossInput, Loss as _tailtune_v1_Loss } from '../../tailtune/v1/Loss.ts';

/**
 * Description of the tuned part. With the base weights it is sufficient to compute.
 */
export interface TailSpecInput {
  'trainable'?: (_tailtune_v1_TrainableInput);
  'classes'?: (number);
  'causal'?: (boolean);
  'loraRank'?: (number);
  /**
   * Scaling of x A B.
   */
  'loraScale'?: (number | string);
  /**
   * Unset: cross-entropy without smoothing and weights.
   */
  'loss'?: (_tailtune_v1_LossInput | null);
}

/**
 * Description of the tuned part. With the base weights it is sufficient to compute.
 */
export interface TailSpec {
  'trainable': (_tailtune_v1_Trainable);
  'classes': (number);
  'causal': (boolean);
  'loraRank': (number);
  /**
   * Scaling of x A B.
   */
  'loraScale': (number);
  /**
   * Unset: cross-entropy without smoothing and weights.
   */
  'loss': (_tailtune_v1_Loss | null);
}
