import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { describeIssue } from "../../shared/describe-issue.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import { readJson } from "../../shared/model/gpt2-config.ts";
import { quote } from "../../shared/model/safetensors-header.ts";
import { END_OF_TEXT, writtenVocabulary } from "./tokenizer-files.ts";

/** Names of files that describe a model's tokenizer: GPT-2's possible files, and files of other tokenizers. */
const GPT2_FILES = ["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "added_tokens.json"];
const OTHER_FILES = ["vocab.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"];
export const TOKENIZER_FILES: readonly string[] = [...GPT2_FILES, ...OTHER_FILES];

/** Rows of the token embedding: GPT-2's tokens, or padded to a multiple of 64 as some training programs do. */
const VOCABULARY_SIZES = [50257, 50304];

/** SHA-256 of GPT-2's 50,000 merges, each as a line "a b". */
const MERGES_SHA256 = "04e3597d7996f292ca9b8b7285ca4d58a6ae171ac47d73fc7140ceb0c7a6bbc0";

const unset = z.null().optional();
const vocabularySchema = z.record(z.string(), z.int());
const byteLevel = z.object({ type: z.literal("ByteLevel") });
const addedTokens = z.array(z.object({ content: z.string(), special: z.boolean().default(false) }));

/** The fields of a `tokenizer.json` that affect the tokens of a text. */
const tokenizerSchema = z.object({
	added_tokens: addedTokens.default([]),
	normalizer: unset,
	pre_tokenizer: byteLevel.extend({ add_prefix_space: z.literal(false), use_regex: z.literal(true).default(true) }),
	post_processor: byteLevel.nullish(),
	model: z.object({
		type: z.literal("BPE").default("BPE"),
		dropout: unset,
		continuing_subword_prefix: z.literal("").nullish(),
		end_of_word_suffix: z.literal("").nullish(),
		vocab: vocabularySchema,
		merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
	}),
});

/** The same fields of a `tokenizer_config.json`; the last two classes mean the tokenizer in `tokenizer.json`. */
const settingsSchema = z.object({
	tokenizer_class: z
		.enum(["GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"])
		.nullish(),
	add_prefix_space: z.literal(false).nullish(),
	add_bos_token: z.literal(false).nullish(),
	add_eos_token: z.literal(false).nullish(),
	do_lower_case: z.literal(false).nullish(),
	added_tokens_decoder: z.record(z.string(), addedTokens.element).default({}),
});

/**
 * Checks that a model was trained on GPT-2's tokens, the only tokens that Tailtune makes from texts. Every tokenizer
 * file in the folder must describe GPT-2's tokenizer, possibly with added special tokens. Without such files only
 * `size` is checked.
 * @param size rows of the token embedding
 * @throws TailtuneError "model" that names the file, the value found and the value expected
 */
export async function checkTokenizer(folder: string, size: number): Promise<void> {
	const names = new Set(await readdir(folder));
	const other = OTHER_FILES.find((name) => names.has(name));
	if (other !== undefined && !names.has("tokenizer.json") && !names.has("vocab.json"))
		throw refusal(join(folder, other), "found another tokenizer's file");
	for (const [name, check] of Object.entries(CHECKS)) if (names.has(name)) await check(join(folder, name));
	// If there is a tokenizer.json, this file repeats its added tokens, without marking the special ones.
	if (names.has("added_tokens.json") && !names.has("tokenizer.json"))
		await checkAddedFile(join(folder, "added_tokens.json"));
	const isDescribed = names.has("tokenizer.json") || names.has("vocab.json");
	if (size <= END_OF_TEXT.id || !(isDescribed || VOCABULARY_SIZES.includes(size)))
		throw refusal(join(folder, "config.json"), `vocab_size: found ${size}, expected ${VOCABULARY_SIZES[0]}`);
}

const CHECKS: Readonly<Record<string, (file: string) => Promise<void>>> = {
	"tokenizer.json": async (file) => {
		const { model, added_tokens } = await readAs(tokenizerSchema, file);
		checkVocabulary(file, model.vocab);
		checkMerges(
			file,
			model.merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" "))),
		);
		checkAdded(file, added_tokens);
	},
	"tokenizer_config.json": async (file) => {
		checkAdded(file, Object.values((await readAs(settingsSchema, file)).added_tokens_decoder));
	},
	"vocab.json": async (file) => checkVocabulary(file, await readAs(vocabularySchema, file)),
	"merges.txt": async (file) => {
		const lines = (await readRegularFile(file, MOST_JSON_BYTES, "model")).toString("utf8").split(/\r?\n/);
		checkMerges(
			file,
			lines.filter((line, index) => line !== "" && !(index === 0 && line.startsWith("#version"))),
		);
	},
};

async function checkAddedFile(file: string): Promise<void> {
	const tokens = Object.keys(await readAs(vocabularySchema, file));
	checkAdded(
		file,
		tokens.map((content) => ({ content, special: false })),
	);
}

async function readAs<T>(schema: z.ZodType<T>, file: string): Promise<T> {
	const parsed = schema.safeParse(await readJson(file), { reportInput: true });
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0] as z.core.$ZodIssue;
	throw refusal(file, `${issue.path.join(".") || "content"}: ${describeIssue(issue)}`);
}

function checkVocabulary(file: string, vocabulary: Readonly<Record<string, number>>): void {
	for (const [token, id] of writtenVocabulary()) {
		const found = Object.hasOwn(vocabulary, token) ? vocabulary[token] : undefined;
		if (found === id || (found === undefined && id === END_OF_TEXT.id)) continue;
		throw refusal(
			file,
			`token ${quote(token)}: found ${found === undefined ? "none" : `id ${found}`}, expected id ${id}`,
		);
	}
}

function checkMerges(file: string, merges: readonly string[]): void {
	const found = createHash("sha256").update(merges.join("\n")).digest("hex");
	if (found !== MERGES_SHA256) throw refusal(file, `merges: found ${merges.length} that aren't GPT-2's 50000`);
}

/**
 * Refuses added tokens that aren't special: they could occur in a text, while names of special tokens are read as text.
 */
function checkAdded(file: string, tokens: z.infer<typeof addedTokens>): void {
	const ordinary = tokens.find(({ content, special }) => !special && content !== END_OF_TEXT.name);
	if (ordinary) throw refusal(file, `found the added token ${quote(ordinary.content)}`);
}

function refusal(file: string, found: string): TailtuneError {
	return new TailtuneError("model", `${file}: ${found}; only GPT-2's tokenizer is supported`);
}
