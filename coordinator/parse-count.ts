import { TailtuneError } from "../shared/errors.ts";

/**
 * Parses a whole number of at least 1.
 * @param flag name for the message
 * @param range allowed numbers; default: from 1 on
 * @throws TailtuneError "usage" that names the flag, the text and the allowed numbers
 */
export function parseCount(flag: string, text: unknown, { least = 1, most = Number.POSITIVE_INFINITY } = {}): number {
	const count = Number(text);
	if (Number.isInteger(count) && count >= least && count <= most) return count;
	const range = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`;
	throw new TailtuneError("usage", `${flag}: found "${text}", expected a whole number ${range}`);
}
