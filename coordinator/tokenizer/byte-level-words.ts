import { z } from "zod";
import { partSchema, type TokenizerPart } from "./tokenizer-definition.ts";

export const sequenceSchema = z.object({ type: z.literal("Sequence"), pretokenizers: z.array(partSchema) });
export const byteLevelSchema = z.object({
	type: z.literal("ByteLevel"),
	add_prefix_space: z.boolean().default(true),
	use_regex: z.boolean().default(true),
});

/** The division into words of a byte-level tokenizer. */
export interface ByteLevelWords {
	/** Parts of the pre-tokenizer that divide a text before its bytes are read. */
	readonly first: readonly TokenizerPart[];
	/** Whether a blank is put before each of these parts of a text. */
	readonly prefixSpace: boolean;
	/** Whether they are divided into GPT-2's words. */
	readonly usesWords: boolean;
}

/** Returns the steps of a pre-tokenizer that ends with bytes; undefined for any other one, and for a malformed one. */
export function splitPreTokenizer(part: TokenizerPart | null): ByteLevelWords | undefined {
	const sequence = sequenceSchema.safeParse(part);
	const parts = sequence.success ? sequence.data.pretokenizers : [part];
	const last = byteLevelSchema.safeParse(parts.at(-1));
	if (!last.success) return undefined;
	const { add_prefix_space: prefixSpace, use_regex: usesWords } = last.data;
	return { first: parts.slice(0, -1).filter((one) => one !== null), prefixSpace, usesWords };
}
