// Original file: proto/tailtune/v1/work.proto

/**
 * Precision of the matrix products in the frozen blocks; features depend on it.
 */
export const TrunkPrecision = {
  TRUNK_PRECISION_UNSPECIFIED: 'TRUNK_PRECISION_UNSPECIFIED',
  TRUNK_PRECISION_FP32: 'TRUNK_PRECISION_FP32',
  /**
   * 8-bit integers: weights with one scale per output, activations with one scale per row.
   */
  TRUNK_PRECISION_INT8: 'TRUNK_PRECISION_INT8',
} as const;

/**
 * Precision of the matrix products in the frozen blocks; features depend on it.
 */
export type TrunkPrecisionInput =
  | 'TRUNK_PRECISION_UNSPECIFIED'
  | 0
  | 'TRUNK_PRECISION_FP32'
  | 1
  /**
   * 8-bit integers: weights with one scale per output, activations with one scale per row.
   */
  | 'TRUNK_PRECISION_INT8'
  | 2

/**
 * Precision of the matrix products in the frozen blocks; features depend on it.
 */
export type TrunkPrecision = typeof TrunkPrecision[keyof typeof TrunkPrecision]
