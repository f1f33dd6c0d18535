// Original file: proto/tailtune/v1/work.proto

/**
 * The kinds of work items.
 */
export const WorkKind = {
  WORK_KIND_UNSPECIFIED: 'WORK_KIND_UNSPECIFIED',
  /**
   * Compute the features of the sequences and keep them.
   */
  WORK_KIND_PREPARE: 'WORK_KIND_PREPARE',
  /**
   * Compute logits, and the gradient of the mean over the item's sequences of their losses.
   */
  WORK_KIND_GRADIENT: 'WORK_KIND_GRADIENT',
  /**
   * Compute logits and keep the features.
   */
  WORK_KIND_EVALUATE: 'WORK_KIND_EVALUATE',
  /**
   * Compute logits and keep nothing.
   */
  WORK_KIND_CLASSIFY: 'WORK_KIND_CLASSIFY',
} as const;

/**
 * The kinds of work items.
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
   * Compute logits, and the gradient of the mean over the item's sequences of their losses.
   */
  | 'WORK_KIND_GRADIENT'
  | 2
  /**
   * Compute logits and keep the features.
   */
  | 'WORK_KIND_EVALUATE'
  | 3
  /**
   * Compute logits and keep nothing.
   */
  | 'WORK_KIND_CLASSIFY'
  | 4

/**
 * The kinds of work items.
 */
export type WorkKind = typeof WorkKind[keyof typeof WorkKind]
