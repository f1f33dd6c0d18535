import type { Trainable } from "../../../shared/messages.ts";
import { hasLora } from "../../../shared/model/tail-spec.ts";

/** Facts that decide how a tail's last block is computed. */
export interface LastBlock {
	/** True if the head reads one row of each text. */
	readonly oneRow: boolean;
	readonly trainable: Trainable;
}

/**
 * Counts the blocks of a tail that are computed for all rows. The last block is not one of them if the head reads one
 * row of each text, unless it has LoRA pairs: these need the query, key and value of all rows.
 * @param blocks after the cut
 */
export function countWholeBlocks(blocks: number, { oneRow, trainable }: LastBlock): number {
	const lastIsOneRow = oneRow && blocks > 0 && !hasLora({ trainable });
	return lastIsOneRow ? blocks - 1 : blocks;
}
