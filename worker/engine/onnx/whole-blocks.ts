import type { Trainable } from "../../../shared/messages.ts";
import { hasLora } from "../../../shared/model/tail-spec.ts";

/** What decides over how a tail's last block is computed. */
export interface LastBlock {
	/** Every text is read at one row. */
	readonly oneRow: boolean;
	readonly trainable: Trainable;
}

/**
 * How many of a tail's blocks are computed for all rows: all but the last one where that has one query a text. With LoRA
 * pairs of their own, query, key and value have to be formed, and that one is whole too.
 * @param blocks after the cut
 */
export function countWholeBlocks(blocks: number, { oneRow, trainable }: LastBlock): number {
	const asksOnce = oneRow && blocks > 0 && !hasLora({ trainable });
	return asksOnce ? blocks - 1 : blocks;
}
