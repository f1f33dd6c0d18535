import type { TrainConfig } from "../settings/config.ts";

/** GPT-2's `<|endoftext|>`, which the reference pads with. */
export const PAD_ID = 50256;

/** How texts are padded and read. */
export interface Padding {
	readonly token: TrainConfig["token"];
	readonly causal: boolean;
	/** Every text is padded to so many tokens; undefined: to the longest of its batch. */
	readonly padTo: number | undefined;
	/** Default PAD_ID. */
	readonly padId?: number;
}

/** A text as the engines take it: exactly the tokens that its pooled rows may attend to. */
export interface EffectiveSequence {
	readonly tokens: Uint32Array;
	/** The classifier reads the mean of the final states of rows [poolFrom, poolFrom + poolCount). */
	readonly poolFrom: number;
	readonly poolCount: number;
}

/** Whether the logits of a text depend on the length it is padded to: pads are read, or the text sees them. */
export function paddingMatters({ token, causal }: Pick<Padding, "token" | "causal">): boolean {
	return !causal || token === "last" || token === "mean";
}

/**
 * Reduces a text to the tokens that count. Pads are ordinary tokens: they are there where they are read or seen, and
 * only there.
 * @param tokens the text's own tokens, at least one
 * @param batchLongest tokens of the longest text of its batch; used where padding matters and `padTo` is undefined
 */
export function effectiveSequence(tokens: Uint32Array, padding: Padding, batchLongest: number): EffectiveSequence {
	const { token, causal, padTo, padId = PAD_ID } = padding;
	const real = tokens.length;
	if (causal && token === "first") return { tokens: tokens.slice(0, 1), poolFrom: 0, poolCount: 1 };
	const length = paddingMatters(padding) ? Math.max(padTo ?? batchLongest, real) : real;
	const padded = new Uint32Array(length).fill(padId);
	padded.set(tokens);
	return { tokens: padded, ...pooledRows(token, real, length) };
}

function pooledRows(token: Padding["token"], real: number, length: number): Omit<EffectiveSequence, "tokens"> {
	switch (token) {
		case "first":
			return { poolFrom: 0, poolCount: 1 };
		case "last":
			return { poolFrom: length - 1, poolCount: 1 };
		case "last-real":
			return { poolFrom: real - 1, poolCount: 1 };
		case "mean":
			return { poolFrom: 0, poolCount: length };
		case "mean-real":
			return { poolFrom: 0, poolCount: real };
	}
}
