import type { TrainConfig } from "../settings/config.ts";

/** GPT-2's `<|endoftext|>`, the pad token of the reference. */
export const PAD_ID = 50256;

/** How texts are padded and read. */
export interface Padding {
	readonly token: TrainConfig["token"];
	readonly causal: boolean;
	/** Length to which every text is padded, in tokens; undefined: that of the longest text of its batch. */
	readonly padTo: number | undefined;
	/** Id of the pad token. Default: PAD_ID. */
	readonly padId?: number;
}

/** Input of the engines for a text: exactly the tokens that can influence the rows read by the head. */
export interface EffectiveSequence {
	readonly tokens: Uint32Array;
	/** The head reads the mean of the final states of rows [poolFrom, poolFrom + poolCount). */
	readonly poolFrom: number;
	readonly poolCount: number;
}

/** Whether the logits of a text depend on its padding: pads are read by the head, or the text attends to them. */
export function paddingMatters({ token, causal }: Pick<Padding, "token" | "causal">): boolean {
	return !causal || token === "last" || token === "mean";
}

/**
 * Reduces a text to the tokens that can influence its logits. Pads are ordinary tokens, and are only added if they are
 * read by the head or attended to.
 * @param tokens the text's tokens without pads, at least one
 * @param batchLongest tokens of the longest text of its batch; used if padding matters and `padTo` is undefined
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
