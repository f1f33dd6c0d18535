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
   * Numbers of the embedding rows in the tensor, in ascending order. Number t is the row of token t; the vocabulary's size plus p
   * is the row of position p. Only in the part at offset 0, and only if the embedding tables are trained. An answer has no such
   * list: its rows are those of all tokens and positions in its item.
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
   * Numbers of the embedding rows in the tensor, in ascending order. Number t is the row of token t; the vocabulary's size plus p
   * is the row of position p. Only in the part at offset 0, and only if the embedding tables are trained. An answer has no such
   * list: its rows are those of all tokens and positions in its item.
   */
  'rows': (number)[];
}
