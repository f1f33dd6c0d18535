import type { ModelFiles } from "../../shared/model/model-files.ts";
import { GPT2_SIZES, type Gpt2Size } from "../../shared/model/random-model.ts";
import { plainTail } from "../../shared/model/tail-spec.ts";

/** One run of a fleet. */
export interface FleetSettings {
	readonly size: Gpt2Size;
	/** Time of a simulated GPU for 8 texts, in milliseconds. */
	readonly gpuMs: number;
	/** Texts per step, all workers together. */
	readonly batch: number;
	/** Whether workers apply the updates; otherwise they only receive and check them. */
	readonly applies: boolean;
}

/** The part that is tuned: the last block. */
export const FLEET_TAIL = plainTail("TRAINABLE_LAST_BLOCK", 2);

/** A model of which only the sizes are needed, because no engine computes with its weights. */
export function sizesOnly(size: Gpt2Size): ModelFiles {
	return {
		folder: "",
		config: GPT2_SIZES[size],
		tensors: new Map(),
		hash: async () => "0".repeat(64),
		checkFinite: async () => {},
		read: () => Promise.reject(new Error("this model has no weights")),
	};
}
