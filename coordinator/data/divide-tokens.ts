import type { TokenLimit } from "./limit-tokens.ts";

/** How a text's tokens are read. */
export interface DividedTokens {
	/** The token sequences to compute, each within the limit: one, or several windows. */
	readonly windows: readonly [Uint32Array, ...Uint32Array[]];
	/** Number of the text's tokens that are read. */
	readonly tokens: number;
	/** Whether the text has more tokens. */
	readonly cut: boolean;
}

/**
 * Divides a text's tokens so that each sequence is within the limit. A text within the limit stays as it is. A longer
 * one is cut, or only its first and last half of the limit are kept, or it is divided into windows. The tokens that the
 * tokenizer adds to every text are part of each sequence.
 * @param tokens all tokens of the text; if longer texts are cut, at least one more than the limit
 */
export function divideTokens(
	tokens: Uint32Array,
	limit: Pick<TokenLimit, "tokens" | "long" | "affixes">,
): DividedTokens {
	const { tokens: most, long, affixes: { before, after } = NO_AFFIXES } = limit;
	if (tokens.length <= most) return { windows: [tokens], tokens: tokens.length, cut: false };
	const own = tokens.subarray(before, tokens.length - after);
	const room = most - before - after;
	const between = (part: Uint32Array) =>
		Uint32Array.from([...tokens.subarray(0, before), ...part, ...tokens.subarray(tokens.length - after)]);
	if (long === "windows") {
		const [first, ...others] = divideIntoWindows(own, room);
		return { windows: [between(first), ...others.map(between)], tokens: tokens.length, cut: false };
	}
	const kept = long === "head-tail" ? keepEnds(own, room) : own.slice(0, room);
	return { windows: [between(kept)], tokens: most, cut: true };
}

const NO_AFFIXES = { before: 0, after: 0 };

/** Returns the first and the last tokens, half of `most` each; the first one more if that number is odd. */
function keepEnds(tokens: Uint32Array, most: number): Uint32Array {
	const kept = tokens.slice(0, most);
	const tail = Math.floor(most / 2);
	kept.set(tokens.subarray(tokens.length - tail), most - tail);
	return kept;
}

/**
 * Returns windows of `most` tokens. Each begins half of that number after the one before; the last ends with the text.
 */
function divideIntoWindows(tokens: Uint32Array, most: number): [Uint32Array, ...Uint32Array[]] {
	const stride = Math.max(1, Math.floor(most / 2));
	const windows: [Uint32Array, ...Uint32Array[]] = [tokens.slice(0, most)];
	for (let start = stride; start + most < tokens.length; start += stride) {
		windows.push(tokens.slice(start, start + most));
	}
	windows.push(tokens.slice(tokens.length - most));
	return windows;
}

/** Returns the logits of a text: the mean of those of its windows. Those of a single window stay as they are. */
export function averageLogits(windows: readonly (readonly number[])[]): number[] {
	const [first = [], ...others] = windows;
	if (others.length === 0) return [...first];
	return first.map((logit, label) => {
		const sum = others.reduce((total, logits) => total + (logits[label] as number), logit);
		return sum / windows.length;
	});
}
