import type { TailSpec, Trainable } from "../messages.ts";

/** The names of `--trainable`, with the enum values of the messages. */
export const TRAINABLE_BY_NAME = {
	head: "TRAINABLE_HEAD",
	"last-block": "TRAINABLE_LAST_BLOCK",
	"last-two-blocks": "TRAINABLE_LAST_TWO_BLOCKS",
	all: "TRAINABLE_ALL",
	lora: "TRAINABLE_LORA",
	"lora-only": "TRAINABLE_LORA_ONLY",
} as const satisfies Record<string, Trainable>;

export type TrainableName = keyof typeof TRAINABLE_BY_NAME;

/** Describes a tail without LoRA, with cross-entropy as its loss. */
export function plainTail(trainable: Trainable, classes: number, causal = true): TailSpec {
	return { trainable, classes, causal, loraRank: 0, loraScale: 0, loss: null };
}

/** Whether linear layers have LoRA pairs. */
export function hasLora({ trainable }: Pick<TailSpec, "trainable">): boolean {
	return trainable === "TRAINABLE_LORA" || trainable === "TRAINABLE_LORA_ONLY";
}

/**
 * Returns the number of frozen blocks before the tail; their output is a text's features. 0 means that the tail starts
 * with token ids, and there are no features.
 */
export function countFrozenBlocks(spec: Pick<TailSpec, "trainable">, blocks: number): number {
	switch (spec.trainable) {
		case "TRAINABLE_HEAD":
			return blocks;
		case "TRAINABLE_LAST_BLOCK":
			return Math.max(0, blocks - 1);
		case "TRAINABLE_LAST_TWO_BLOCKS":
			return Math.max(0, blocks - 2);
		default:
			return 0;
	}
}
