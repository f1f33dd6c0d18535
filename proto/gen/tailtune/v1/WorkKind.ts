// Original file: proto/tailtune/v1/work.proto

/**
 * What a worker is asked to do with the sequences of an item.
 */
export const WorkKind = {
  WORK_KIND_UNSPECIFIED: 'WORK_KIND_UNSPECIFIED',
  /**
   * Compute the features of the sequences and keep them.
   */
  WORK_KIND_PREPARE: 'WORK_KIND_PREPARE',
  /**
   * Logits and the gradient of the mean loss over the item's sequences.
   */
  WORK_KIND_GRADIENT: 'WORK_KIND_GRADIENT',
  /**
   * Logits; features are kept for the next time.
   */
  WORK_KIND_EVALUATE: 'WORK_KIND_EVALUATE',
  /**
   * Logits; nothing is kept.
   */
  WORK_KIND_CLASSIFY: 'WORK_KIND_CLASSIFY',
  /**
   * Optimizer steps on the parameters one after another: logits of all sequences, and as gradient what the steps did.
   */
  WORK_KIND_LOCAL_STEPS: 'WORK_KIND_LOCAL_STEPS',
} as const;

/**
 * What a worker is asked to do with the sequences of an item.
 */
export type WorkKindInput =
  | 'WORK_KIND_UNSPECIFIED'
  | 0
  /**
   * Compute the features of the sequences and keep them.
   */
  | 'WORK_KIND_PREPARE'
  | 1
  /**
   * Logits and the gradient of the mean loss over the item's sequences.
   */
  | 'WORK_KIND_GRADIENT'
  | 2
  /**
   * Logits; features are kept for the next time.
   */
  | 'WORK_KIND_EVALUATE'
  | 3
  /**
   * Logits; nothing is kept.
   */
  | 'WORK_KIND_CLASSIFY'
  | 4
  /**
   * Optimizer steps on the parameters one after another: logits of all sequences, and as gradient what the steps did.
   */
  | 'WORK_KIND_LOCAL_STEPS'
  | 5

/**
 * What a worker is asked to do with the sequences of an item.
 */
export type WorkKind = typeof WorkKind[keyof typeof WorkKind]
