// Original file: proto/tailtune/v1/work.proto

/**
 * The trained part of the model.
 */
export const Trainable = {
  TRAINABLE_UNSPECIFIED: 'TRAINABLE_UNSPECIFIED',
  TRAINABLE_HEAD: 'TRAINABLE_HEAD',
  TRAINABLE_LAST_BLOCK: 'TRAINABLE_LAST_BLOCK',
  TRAINABLE_LAST_TWO_BLOCKS: 'TRAINABLE_LAST_TWO_BLOCKS',
  TRAINABLE_ALL: 'TRAINABLE_ALL',
  /**
   * LoRA on every linear layer, and the head's weight and bias.
   */
  TRAINABLE_LORA: 'TRAINABLE_LORA',
  /**
   * LoRA only; the head keeps its initial values.
   */
  TRAINABLE_LORA_ONLY: 'TRAINABLE_LORA_ONLY',
} as const;

/**
 * The trained part of the model.
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
   * LoRA on every linear layer, and the head's weight and bias.
   */
  | 'TRAINABLE_LORA'
  | 5
  /**
   * LoRA only; the head keeps its initial values.
   */
  | 'TRAINABLE_LORA_ONLY'
  | 6

/**
 * The trained part of the model.
 */
export type Trainable = typeof Trainable[keyof typeof Trainable]
