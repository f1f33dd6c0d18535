// Original file: proto/tailtune/v1/work.proto

/**
 * How the numbers of parameters and gradients travel.
 */
export const WireFormat = {
  WIRE_FORMAT_UNSPECIFIED: 'WIRE_FORMAT_UNSPECIFIED',
  WIRE_FORMAT_F32: 'WIRE_FORMAT_F32',
  /**
   * bfloat16, rounded to nearest; computed with as float32.
   */
  WIRE_FORMAT_BF16: 'WIRE_FORMAT_BF16',
} as const;

/**
 * How the numbers of parameters and gradients travel.
 */
export type WireFormatInput =
  | 'WIRE_FORMAT_UNSPECIFIED'
  | 0
  | 'WIRE_FORMAT_F32'
  | 1
  /**
   * bfloat16, rounded to nearest; computed with as float32.
   */
  | 'WIRE_FORMAT_BF16'
  | 2

/**
 * How the numbers of parameters and gradients travel.
 */
export type WireFormat = typeof WireFormat[keyof typeof WireFormat]
