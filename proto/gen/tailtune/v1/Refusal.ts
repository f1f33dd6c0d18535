// Original file: proto/tailtune/v1/refusal.proto

/**
 * The closed list of reasons, each with the gRPC status that it comes with.
 */
export const Refusal = {
  REFUSAL_UNSPECIFIED: 'REFUSAL_UNSPECIFIED',
  /**
   * UNAUTHENTICATED: no bearer token, or not the right one.
   */
  REFUSAL_TOKEN: 'REFUSAL_TOKEN',
  /**
   * FAILED_PRECONDITION: the caller speaks another version of this protocol.
   */
  REFUSAL_PROTOCOL_VERSION: 'REFUSAL_PROTOCOL_VERSION',
  /**
   * NOT_FOUND: no such run, or it is over.
   */
  REFUSAL_UNKNOWN_RUN: 'REFUSAL_UNKNOWN_RUN',
  /**
   * FAILED_PRECONDITION: the caller computes with other base weights or another parameter layout than the run.
   */
  REFUSAL_SCHEMA: 'REFUSAL_SCHEMA',
  /**
   * FAILED_PRECONDITION: that parameter version isn't readable, or not any more.
   */
  REFUSAL_STALE_VERSION: 'REFUSAL_STALE_VERSION',
  /**
   * FAILED_PRECONDITION: nobody waits for the gradient of that item.
   */
  REFUSAL_NOT_EXPECTED: 'REFUSAL_NOT_EXPECTED',
  /**
   * INVALID_ARGUMENT: the bytes are no such message, or a field that is needed is missing or out of range.
   */
  REFUSAL_MALFORMED: 'REFUSAL_MALFORMED',
  /**
   * INVALID_ARGUMENT: a message of a stream is out of its place: a chunk doesn't begin where the one before it ended.
   */
  REFUSAL_ORDER: 'REFUSAL_ORDER',
  /**
   * INVALID_ARGUMENT: more or fewer bytes than the tensor has.
   */
  REFUSAL_LENGTH: 'REFUSAL_LENGTH',
  /**
   * INVALID_ARGUMENT: NaN or an infinity.
   */
  REFUSAL_NOT_FINITE: 'REFUSAL_NOT_FINITE',
  /**
   * DATA_LOSS: the bytes that arrived aren't those that were sent.
   */
  REFUSAL_CHECKSUM: 'REFUSAL_CHECKSUM',
  /**
   * RESOURCE_EXHAUSTED: too many calls or uploads at the same time; to be tried again.
   */
  REFUSAL_TOO_MANY: 'REFUSAL_TOO_MANY',
  /**
   * NOT_FOUND: no model of that hash is served.
   */
  REFUSAL_UNKNOWN_MODEL: 'REFUSAL_UNKNOWN_MODEL',
  /**
   * NOT_FOUND: the model has no such file.
   */
  REFUSAL_UNKNOWN_FILE: 'REFUSAL_UNKNOWN_FILE',
  /**
   * OUT_OF_RANGE: an offset behind the end of the file.
   */
  REFUSAL_OFFSET: 'REFUSAL_OFFSET',
  /**
   * PERMISSION_DENIED: a token, but not one for this call.
   */
  REFUSAL_PERMISSION: 'REFUSAL_PERMISSION',
} as const;

/**
 * The closed list of reasons, each with the gRPC status that it comes with.
 */
export type RefusalInput =
  | 'REFUSAL_UNSPECIFIED'
  | 0
  /**
   * UNAUTHENTICATED: no bearer token, or not the right one.
   */
  | 'REFUSAL_TOKEN'
  | 1
  /**
   * FAILED_PRECONDITION: the caller speaks another version of this protocol.
   */
  | 'REFUSAL_PROTOCOL_VERSION'
  | 2
  /**
   * NOT_FOUND: no such run, or it is over.
   */
  | 'REFUSAL_UNKNOWN_RUN'
  | 3
  /**
   * FAILED_PRECONDITION: the caller computes with other base weights or another parameter layout than the run.
   */
  | 'REFUSAL_SCHEMA'
  | 4
  /**
   * FAILED_PRECONDITION: that parameter version isn't readable, or not any more.
   */
  | 'REFUSAL_STALE_VERSION'
  | 5
  /**
   * FAILED_PRECONDITION: nobody waits for the gradient of that item.
   */
  | 'REFUSAL_NOT_EXPECTED'
  | 6
  /**
   * INVALID_ARGUMENT: the bytes are no such message, or a field that is needed is missing or out of range.
   */
  | 'REFUSAL_MALFORMED'
  | 7
  /**
   * INVALID_ARGUMENT: a message of a stream is out of its place: a chunk doesn't begin where the one before it ended.
   */
  | 'REFUSAL_ORDER'
  | 8
  /**
   * INVALID_ARGUMENT: more or fewer bytes than the tensor has.
   */
  | 'REFUSAL_LENGTH'
  | 9
  /**
   * INVALID_ARGUMENT: NaN or an infinity.
   */
  | 'REFUSAL_NOT_FINITE'
  | 10
  /**
   * DATA_LOSS: the bytes that arrived aren't those that were sent.
   */
  | 'REFUSAL_CHECKSUM'
  | 11
  /**
   * RESOURCE_EXHAUSTED: too many calls or uploads at the same time; to be tried again.
   */
  | 'REFUSAL_TOO_MANY'
  | 12
  /**
   * NOT_FOUND: no model of that hash is served.
   */
  | 'REFUSAL_UNKNOWN_MODEL'
  | 13
  /**
   * NOT_FOUND: the model has no such file.
   */
  | 'REFUSAL_UNKNOWN_FILE'
  | 14
  /**
   * OUT_OF_RANGE: an offset behind the end of the file.
   */
  | 'REFUSAL_OFFSET'
  | 15
  /**
   * PERMISSION_DENIED: a token, but not one for this call.
   */
  | 'REFUSAL_PERMISSION'
  | 16

/**
 * The closed list of reasons, each with the gRPC status that it comes with.
 */
export type Refusal = typeof Refusal[keyof typeof Refusal]
