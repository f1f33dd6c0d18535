// Original file: proto/tailtune/v1/update.proto

import type { UpdateHeaderInput as _tailtune_v1_UpdateHeaderInput, UpdateHeader as _tailtune_v1_UpdateHeader } from '../../tailtune/v1/UpdateHeader.ts';
import type { TensorChunkInput as _tailtune_v1_TensorChunkInput, TensorChunk as _tailtune_v1_TensorChunk } from '../../tailtune/v1/TensorChunk.ts';

/**
 * A part of an update: fits in one message of a NATS server with its default limit.
 */
export interface UpdatePartInput {
  /**
   * The same in all parts of an update.
   */
  'header'?: (_tailtune_v1_UpdateHeaderInput | null);
  /**
   * Without data, it is the whole tensor: the gradient that this worker sent as its last answer, recognized by its checksum.
   */
  'chunk'?: (_tailtune_v1_TensorChunkInput | null);
  /**
   * Only in the part whose chunk has offset 0, and only if the embedding tables are trained: the rows of the tensor, in ascending
   * order. Row t is that of token t; the rows of positions follow those of all tokens. An answer doesn't name its rows: they are
   * those of all tokens and positions of its item.
   */
  'rows'?: (number)[];
}

/**
 * A part of an update: fits in one message of a NATS server with its default limit.
 */
export interface UpdatePart {
  /**
   * The same in all parts of an update.
   */
  'header': (_tailtune_v1_UpdateHeader | null);
  /**
   * Without data, it is the whole tensor: the gradient that this worker sent as its last answer, recognized by its checksum.
   */
  'chunk': (_tailtune_v1_TensorChunk | null);
  /**
   * Only in the part whose chunk has offset 0, and only if the embedding tables are trained: the rows of the tensor, in ascending
   * order. Row t is that of token t; the rows of positions follow those of all tokens. An answer doesn't name its rows: they are
   * those of all tokens and positions of its item.
   */
  'rows': (number)[];
}
