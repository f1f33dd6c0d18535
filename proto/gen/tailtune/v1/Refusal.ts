// Original file: proto/tailtune/v1/refusal.proto

/**
 * The complete list of reasons, each with its gRPC status.
 */
export const Refusal = {
  REFUSAL_UNSPECIFIED: 'REFUSAL_UNSPECIFIED',
  /**
   * UNAUTHENTICATED: the bearer token is missing or wrong.
   */
  REFUSAL_TOKEN: 'REFUSAL_TOKEN',
  /**
   * FAILED_PRECONDITION: the caller uses another version of this protocol.
   */
  REFUSAL_PROTOCOL_VERSION: 'REFUSAL_PROTOCOL_VERSION',
  /**
   * NOT_FOUND: the run doesn't exist or has ended.
   */
  REFUSAL_UNKNOWN_RUN: 'REFUSAL_UNKNOWN_RUN',
  /**
   * FAILED_PRECONDITION: the caller's base weights or parameter layout differ from those of the run.
   */
  REFUSAL_SCHEMA: 'REFUSAL_SCHEMA',
  /**
   * FAILED_PRECONDITION: that version of the parameters isn't available yet, or no longer.
   */
  REFUSAL_STALE_VERSION: 'REFUSAL_STALE_VERSION',
  /**
   * FAILED_PRECONDITION: the item isn't waiting for an answer: it has one, its version is over, or it was never published.
   */
  REFUSAL_NOT_EXPECTED: 'REFUSAL_NOT_EXPECTED',
  /**
   * INVALID_ARGUMENT: the bytes can't be parsed, or a required field is missing or out of range.
   */
  REFUSAL_MALFORMED: 'REFUSAL_MALFORMED',
  /**
   * INVALID_ARGUMENT: a message of a stream is out of order: a chunk doesn't begin at the end of the chunk before it.
   */
  REFUSAL_ORDER: 'REFUSAL_ORDER',
  /**
   * INVALID_ARGUMENT: more or fewer numbers than the tensor or the answer to the item has.
   */
  REFUSAL_LENGTH: 'REFUSAL_LENGTH',
  /**
   * INVALID_ARGUMENT: a number is NaN or infinite.
   */
  REFUSAL_NOT_FINITE: 'REFUSAL_NOT_FINITE',
  /**
   * DATA_LOSS: the checksum of the received bytes is wrong.
   */
  REFUSAL_CHECKSUM: 'REFUSAL_CHECKSUM',
  /**
   * RESOURCE_EXHAUSTED: too many calls or uploads at the same time; the caller may try again.
   */
  REFUSAL_TOO_MANY: 'REFUSAL_TOO_MANY',
  /**
   * NOT_FOUND: no model with that hash is served.
   */
  REFUSAL_UNKNOWN_MODEL: 'REFUSAL_UNKNOWN_MODEL',
  /**
   * NOT_FOUND: the model has no such file.
   */
  REFUSAL_UNKNOWN_FILE: 'REFUSAL_UNKNOWN_FILE',
  /**
   * OUT_OF_RANGE: the offset is after the end of the file.
   */
  REFUSAL_OFFSET: 'REFUSAL_OFFSET',
  /**
   * PERMISSION_DENIED: the token is valid but not allowed for this call.
   */
  REFUSAL_PERMISSION: 'REFUSAL_PERMISSION',
  /**
   * DATA_LOSS: the worker computed with other parameters than the coordinator's of the same version; it has to read the state again.
   */
  REFUSAL_DIVERGED: 'REFUSAL_DIVERGED',
} as const;

/**
 * The complete list of reasons, each with its gRPC status.
 */
export type RefusalInput =
  | 'REFUSAL_UNSPECIFIED'
  | 0
  /**
   * UNAUTHENTICATED: the bearer token is missing or wrong.
   */
  | 'REFUSAL_TOKEN'
  | 1
  /**
   * FAILED_PRECONDITION: the caller uses another version of this protocol.
   */
  | 'REFUSAL_PROTOCOL_VERSION'
  | 2
  /**
   * NOT_FOUND: the run doesn't exist or has ended.
   */
  | 'REFUSAL_UNKNOWN_RUN'
  | 3
  /**
   * FAILED_PRECONDITION: the caller's base weights or parameter layout differ from those of the run.
   */
  | 'REFUSAL_SCHEMA'
  | 4
  /**
   * FAILED_PRECONDITION: that version of the parameters isn't available yet, or no longer.
   */
  | 'REFUSAL_STALE_VERSION'
  | 5
  /**
   * FAILED_PRECONDITION: the item isn't waiting for an answer: it has one, its version is over, or it was never published.
   */
  | 'REFUSAL_NOT_EXPECTED'
  | 6
  /**
   * INVALID_ARGUMENT: the bytes can't be parsed, or a required field is missing or out of range.
   */
  | 'REFUSAL_MALFORMED'
  | 7
  /**
   * INVALID_ARGUMENT: a message of a stream is out of order: a chunk doesn't begin at the end of the chunk before it.
   */
  | 'REFUSAL_ORDER'
  | 8
  /**
   * INVALID_ARGUMENT: more or fewer numbers than the tensor or the answer to the item has.
   */
  | 'REFUSAL_LENGTH'
  | 9
  /**
   * INVALID_ARGUMENT: a number is NaN or infinite.
   */
  | 'REFUSAL_NOT_FINITE'
  | 10
  /**
   * DATA_LOSS: the checksum of the received bytes is wrong.
   */
  | 'REFUSAL_CHECKSUM'
  | 11
  /**
   * RESOURCE_EXHAUSTED: too many calls or uploads at the same time; the caller may try again.
   */
  | 'REFUSAL_TOO_MANY'
  | 12
  /**
   * NOT_FOUND: no model with that hash is served.
   */
  | 'REFUSAL_UNKNOWN_MODEL'
  | 13
  /**
   * NOT_FOUND: the model has no such file.
   */
  | 'REFUSAL_UNKNOWN_FILE'
  | 14
  /**
   * OUT_OF_RANGE: the offset is after the end of the file.
   */
  | 'REFUSAL_OFFSET'
  | 15
  /**
   * PERMISSION_DENIED: the token is valid but not allowed for this call.
   */
  | 'REFUSAL_PERMISSION'
  | 16
  /**
   * DATA_LOSS: the worker computed with other parameters than the coordinator's of the same version; it has to read the state again.
   */
  | 'REFUSAL_DIVERGED'
  | 17

/**
 * The complete list of reasons, each with its gRPC status.
 */
export type Refusal = typeof Refusal[keyof typeof Refusal]
