// Original file: proto/tailtune/v1/work.proto

/**
 * Number format of parameters and gradients on the network.
 */
export const WireFormat = {
  WIRE_FORMAT_UNSPECIFIED: 'WIRE_FORMAT_UNSPECIFIED',
  WIRE_FORMAT_F32: 'WIRE_FORMAT_F32',
  /**
   * bfloat16, rounded to nearest; computations use float32.
   */
  WIRE_FORMAT_BF16: 'WIRE_FORMAT_BF16',
} as const;

/**
 * Number format of parameters and gradients on the network.
 */
export type WireFormatInput =
  | 'WIRE_FORMAT_UNSPECIFIED'
  | 0
  | 'WIRE_FORMAT_F32'
  | 1
  /**
   * bfloat16, rounded to nearest; computations use float32.
   */
  | 'WIRE_FORMAT_BF16'
  | 2

/**
 * Number format of parameters and gradients on the network.
 */
export type WireFormat = typeof WireFormat[keyof typeof WireFormat]
