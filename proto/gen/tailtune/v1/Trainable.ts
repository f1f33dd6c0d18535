// Original file: proto/tailtune/v1/work.proto

/**
 * Which parameters are trained.
 */
export const Trainable = {
  TRAINABLE_UNSPECIFIED: 'TRAINABLE_UNSPECIFIED',
  TRAINABLE_HEAD: 'TRAINABLE_HEAD',
  TRAINABLE_LAST_BLOCK: 'TRAINABLE_LAST_BLOCK',
  TRAINABLE_LAST_TWO_BLOCKS: 'TRAINABLE_LAST_TWO_BLOCKS',
  TRAINABLE_ALL: 'TRAINABLE_ALL',
  /**
   * LoRA pairs on every linear layer, with the head's own weight and bias.
   */
  TRAINABLE_LORA: 'TRAINABLE_LORA',
  /**
   * LoRA pairs only; the head stays as initialised.
   */
  TRAINABLE_LORA_ONLY: 'TRAINABLE_LORA_ONLY',
} as const;

/**
 * Which parameters are trained.
 */
export type TrainableInput =
  | 'TRAINABLE_UNSPECIFIED'
  | 0
  | 'TRAINABLE_HEAD'
  | 1
  | 'TRAINABLE_LAST_BLOCK'
  | 2
  | 'TRAINABLE_LAST_TWO_BLOCKS'
  | 3
  | 'TRAINABLE_ALL'
  | 4
  /**
   * LoRA pairs on every linear layer, with the head's own weight and bias.
   */
  | 'TRAINABLE_LORA'
  | 5
  /**
   * LoRA pairs only; the head stays as initialised.
   */
  | 'TRAINABLE_LORA_ONLY'
  | 6

/**
 * Which parameters are trained.
 */
export type Trainable = typeof Trainable[keyof typeof Trainable]
