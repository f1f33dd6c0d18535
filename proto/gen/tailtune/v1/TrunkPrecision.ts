// Original file: proto/tailtune/v1/work.proto

/**
 * Numbers that the frozen blocks' matrix products are computed with: part of what a run's features are.
 */
export const TrunkPrecision = {
  TRUNK_PRECISION_UNSPECIFIED: 'TRUNK_PRECISION_UNSPECIFIED',
  TRUNK_PRECISION_FP32: 'TRUNK_PRECISION_FP32',
  /**
   * Weights with a scale for each output, activations with a scale for each row.
   */
  TRUNK_PRECISION_INT8: 'TRUNK_PRECISION_INT8',
} as const;

/**
 * Numbers that the frozen blocks' matrix products are computed with: part of what a run's features are.
 */
export type TrunkPrecisionInput =
  | 'TRUNK_PRECISION_UNSPECIFIED'
  | 0
  | 'TRUNK_PRECISION_FP32'
  | 1
  /**
   * Weights with a scale for each output, activations with a scale for each row.
   */
  | 'TRUNK_PRECISION_INT8'
  | 2

/**
 * Numbers that the frozen blocks' matrix products are computed with: part of what a run's features are.
 */
export type TrunkPrecision = typeof TrunkPrecision[keyof typeof TrunkPrecision]
