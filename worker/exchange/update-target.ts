import type { Update } from "../../shared/updates/updatable-state.ts";

/** The state that updates are applied to. */
export interface UpdateTarget {
	/** Its version, and memory for the numbers of an update; undefined if no update can be applied now. */
	readonly base: { readonly version: number; readonly memory: Float32Array } | undefined;
	/** Applies the next update. @throws Refusal if that isn't possible; `base` is then undefined */
	apply(update: Update): void;
}
