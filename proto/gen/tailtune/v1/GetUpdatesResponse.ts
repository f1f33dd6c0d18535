// Original file: proto/tailtune/v1/exchange.proto

import type { UpdatePartInput as _tailtune_v1_UpdatePartInput, UpdatePart as _tailtune_v1_UpdatePart } from '../../tailtune/v1/UpdatePart.ts';

/**
 * The parts of each update in order, without gaps.
 */
export interface GetUpdatesResponseInput {
  'part'?: (_tailtune_v1_UpdatePartInput | null);
}

/**
 * The parts of each update in order, without gaps.
 */
export interface GetUpdatesResponse {
  'part': (_tailtune_v1_UpdatePart | null);
}
