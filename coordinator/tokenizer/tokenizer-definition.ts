import { createHash } from "node:crypto";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";

/** A token that is recognized in a text before the text is divided into words. */
const addedTokenSchema = z.object({
	id: z.int().min(0),
	content: z.string().min(1),
	single_word: z.boolean().default(false),
	lstrip: z.boolean().default(false),
	rstrip: z.boolean().default(false),
	normalized: z.boolean().default(false),
	special: z.boolean().default(false),
});

export type AddedToken = z.infer<typeof addedTokenSchema>;

/** A part of a tokenizer with its settings, for example a normalizer. */
export const partSchema = z.looseObject({ type: z.string() });

export type TokenizerPart = z.infer<typeof partSchema>;

const modelSchema = z.looseObject({
	// Older files don't name the model.
	type: z.enum(["BPE", "WordPiece", "Unigram"]).default("BPE"),
	// `vocabularyOf` checks the ids, because schemas of records are slow for this many.
	vocab: z.union([
		z.custom<Record<string, number>>(isRecord, "expected an object of ids"),
		z.array(z.tuple([z.string(), z.number()])),
	]),
	merges: z.array(z.custom<Merge>(isMerge, "expected two tokens")).optional(),
	unk_token: z.string().nullish(),
	dropout: z.literal(0).nullish(),
	continuing_subword_prefix: z.string().nullish(),
	end_of_word_suffix: z.string().nullish(),
	fuse_unk: z.boolean().nullish(),
	byte_fallback: z.boolean().nullish(),
	ignore_merges: z.boolean().nullish(),
	max_input_chars_per_word: z.int().min(0).optional(),
	unk_id: z.int().min(0).nullish(),
});

/** Two tokens that are merged: with a blank between them, or as a pair. */
type Merge = string | readonly [string, string];

function isMerge(value: unknown): boolean {
	if (!Array.isArray(value)) return typeof value === "string";
	return value.length === 2 && value.every((token) => typeof token === "string");
}

function isRecord(value: unknown): boolean {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields of a `tokenizer.json` that affect the tokens of a text, and the decoder for other programs. */
export const tokenizerJsonSchema = z.object({
	added_tokens: z.array(addedTokenSchema).default([]),
	normalizer: partSchema.nullable().default(null),
	pre_tokenizer: partSchema.nullable().default(null),
	post_processor: partSchema.nullable().default(null),
	decoder: partSchema.nullable().default(null),
	model: modelSchema,
});

export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;

/** Tokens with a meaning for a model, by their contents. */
export interface SpecialTokens {
	readonly pad?: string | undefined;
	readonly eos?: string | undefined;
	readonly bos?: string | undefined;
	readonly unk?: string | undefined;
}

/** Everything that defines a model's tokenizer, whatever files it was read from. */
export interface TokenizerDefinition {
	/** For messages: the file, or "GPT-2". */
	readonly name: string;
	readonly json: TokenizerJson;
	readonly special: SpecialTokens;
}

/**
 * Returns a hash of everything that affects the tokens of a text, SHA-256 in hexadecimal. Older and newer forms of the
 * same file, and the same tokenizer from other files, have the same hash.
 */
export function hashDefinition({ json }: TokenizerDefinition): string {
	const { added_tokens, normalizer, pre_tokenizer, post_processor, model } = json;
	const { type, vocab, merges = [], ...rest } = model;
	const settings = Object.entries(rest).filter(([, value]) => value !== null && value !== "" && value !== false);
	const parts = [normalizer, pre_tokenizer, post_processor?.type === "ByteLevel" ? null : post_processor];
	const canonical = [
		// Without a normalizer this flag has no effect.
		added_tokens.map((token) => Object.values({ ...token, normalized: token.normalized && normalizer !== null })),
		parts.map(sortKeys),
		[type, sortKeys(Object.fromEntries(settings))],
		Array.isArray(vocab) ? vocab : Object.entries(vocab).sort(([, a], [, b]) => a - b),
		merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" "))),
	];
	return createHash("sha256").update(JSON.stringify(canonical)).digest("hex");
}

/** Puts keys in alphabetical order, and leaves out those with their usual value and those that only affect decoding. */
function sortKeys(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sortKeys);
	if (!isRecord(value)) return value;
	const entries = Object.entries(value as Record<string, unknown>)
		.filter(([key, own]) => key !== "trim_offsets" && !(key === "use_regex" && own === true))
		.sort(([a], [b]) => (a < b ? -1 : 1));
	return Object.fromEntries(entries.map(([key, own]) => [key, sortKeys(own)]));
}

/**
 * Returns the ids of the model's own tokens, without added ones.
 * @throws TailtuneError "model" that names a token whose id isn't a whole number
 */
export function vocabularyOf({ name, json }: TokenizerDefinition): ReadonlyMap<string, number> {
	const { vocab } = json.model;
	const entries = Array.isArray(vocab) ? vocab.map(([token], id) => [token, id] as const) : Object.entries(vocab);
	for (const [token, id] of entries) {
		if (Number.isInteger(id) && id >= 0 && id < 2 ** 30) continue;
		const message = `model.vocab: token ${JSON.stringify(token)}: found ${JSON.stringify(id)}, expected an id`;
		throw new TailtuneError("model", `${name}: ${message}`);
	}
	return new Map(entries);
}
