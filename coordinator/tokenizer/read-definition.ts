import { join } from "node:path";
import { z } from "zod";
import { checkValue } from "../../shared/check-value.ts";
import { TailtuneError } from "../../shared/errors.ts";
import {
	ADDED_FILE,
	MERGES_FILE,
	OTHER_FILES,
	parseTokenizerFile,
	SETTINGS_FILES,
	TOKENIZER_FILE,
	type TokenizerFiles,
	VOCABULARY_FILE,
	WORD_PIECE_FILE,
} from "./read-files.ts";
import {
	type AddedToken,
	type SpecialTokens,
	type TokenizerDefinition,
	type TokenizerJson,
	tokenizerJsonSchema,
} from "./tokenizer-definition.ts";
import { buildWordPieceDefinition } from "./word-piece-definition.ts";

/** Rows of the token embedding with GPT-2's tokens, or padded to a multiple of 64 as some training programs do. */
const GPT2_VOCABULARY_SIZES: readonly number[] = [50257, 50304];

const token = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]).nullish();
const never = z.literal(false).nullish();

/** The fields of a `tokenizer_config.json` and a `special_tokens_map.json` that affect the tokens of a text. */
const settingsSchema = z.object({
	add_prefix_space: z.boolean().nullish(),
	tokenizer_class: z.string().nullish(),
	do_lower_case: z.boolean().nullish(),
	tokenize_chinese_chars: z.boolean().nullish(),
	strip_accents: z.boolean().nullish(),
	add_bos_token: never,
	add_eos_token: never,
	added_tokens_decoder: z
		.record(z.string(), tokenizerJsonSchema.shape.added_tokens.unwrap().element.omit({ id: true }))
		.refine((tokens) => Object.keys(tokens).every((id) => /^\d+$/.test(id)), "expected ids as keys")
		.default({}),
	pad_token: token,
	eos_token: token,
	bos_token: token,
	unk_token: token,
	cls_token: token,
	sep_token: token,
	mask_token: token,
	additional_special_tokens: z.array(token).nullish(),
});

type Settings = z.infer<typeof settingsSchema>;

/**
 * Parses the tokenizer of a model folder: `tokenizer.json`, otherwise `vocab.json` and `merges.txt`, otherwise
 * `vocab.txt`. A folder without tokenizer files has GPT-2's tokenizer if the size of the vocabulary is GPT-2's.
 * @param size rows of the token embedding
 * @throws TailtuneError "model" that names the file, the value found and the value expected
 */
export async function parseDefinition(files: TokenizerFiles, size: number): Promise<TokenizerDefinition> {
	const { folder, contents } = files;
	const settings = SETTINGS_FILES.filter((name) => contents.has(name)).map((name) =>
		parseAs(settingsSchema, files, name),
	);
	const merged = Object.assign({}, ...settings.reverse().map(withoutNulls)) as Partial<Settings>;
	if (contents.has(TOKENIZER_FILE)) {
		const json = parseAs(tokenizerJsonSchema, files, TOKENIZER_FILE);
		return complete({ name: join(folder, TOKENIZER_FILE), json, special: {} }, merged);
	}
	if (contents.has(VOCABULARY_FILE) || contents.has(MERGES_FILE)) return complete(parsePair(files, merged), merged);
	if (contents.has(WORD_PIECE_FILE)) return complete(buildWordPieceDefinition(files, merged), merged);
	const other = OTHER_FILES.find((name) => contents.has(name));
	if (other !== undefined) throw missing(join(folder, other), "found only this file of a tokenizer");
	// Loaded only when needed, because the vocabulary takes some time to load.
	if (GPT2_VOCABULARY_SIZES.includes(size)) return (await import("./gpt2-definition.ts")).buildGpt2Definition();
	throw missing(join(folder, "config.json"), `vocab_size: found ${size}, not GPT-2's ${GPT2_VOCABULARY_SIZES[0]}`);
}

function missing(file: string, found: string): TailtuneError {
	const expected = `expected a ${TOKENIZER_FILE} (or ${VOCABULARY_FILE} and ${MERGES_FILE}, or ${WORD_PIECE_FILE}) in the same folder`;
	return new TailtuneError("model", `${file}: ${found}; ${expected}`);
}

function withoutNulls(settings: Settings): Partial<Settings> {
	return Object.fromEntries(Object.entries(settings).filter(([, value]) => value != null));
}

/** Parses `vocab.json`, `merges.txt` and `added_tokens.json`: always a byte-level tokenizer, as GPT-2's. */
function parsePair(files: TokenizerFiles, settings: Partial<Settings>): TokenizerDefinition {
	const { folder, contents } = files;
	for (const name of [VOCABULARY_FILE, MERGES_FILE])
		if (!contents.has(name)) throw new TailtuneError("model", `${folder}: expected ${TOKENIZER_FILE}, or also ${name}`);
	const vocabulary = z.record(z.string(), z.int().min(0));
	const vocab = parseAs(vocabulary, files, VOCABULARY_FILE);
	const added = contents.has(ADDED_FILE) ? parseAs(vocabulary, files, ADDED_FILE) : {};
	const lines = (contents.get(MERGES_FILE) ?? Buffer.of()).toString().split(/\r?\n/);
	const merges = lines.filter((line, index) => line !== "" && !(index === 0 && line.startsWith("#version")));
	const byteLevel = { type: "ByteLevel", add_prefix_space: settings.add_prefix_space ?? false, use_regex: true };
	const json = tokenizerJsonSchema.parse({
		added_tokens: Object.entries(added).map(([content, id]) => ({ content, id })),
		pre_tokenizer: byteLevel,
		decoder: byteLevel,
		model: { type: "BPE", vocab, merges },
	});
	const [usual] = ["<|endoftext|>"].filter((name) => Object.hasOwn(vocab, name));
	return { name: join(folder, VOCABULARY_FILE), json, special: { eos: usual, bos: usual, unk: usual } };
}

/** Adds the tokens that the other files name, and checks that these files agree. */
function complete(definition: TokenizerDefinition, settings: Partial<Settings>): TokenizerDefinition {
	const { name, json } = definition;
	assertSamePrefix(name, json, settings);
	const own = (key: "pad" | "eos" | "bos" | "unk") => settings[`${key}_token`] ?? definition.special[key];
	const special: SpecialTokens = { pad: own("pad"), eos: own("eos"), bos: own("bos"), unk: own("unk") };
	const named = [
		...[special.pad, special.eos, special.bos, special.unk],
		...[settings.cls_token, settings.sep_token, settings.mask_token, ...(settings.additional_special_tokens ?? [])],
	].filter((content) => content != null);
	const added = new Map<string, AddedToken>();
	const addAll = (tokens: readonly AddedToken[]) => {
		for (const one of tokens) {
			const before = added.get(one.content);
			if (before !== undefined && before.id !== one.id) throw differing(name, one, before.id);
			added.set(one.content, before ?? one);
		}
	};
	addAll(json.added_tokens);
	addAll(Object.entries(settings.added_tokens_decoder ?? {}).map(([id, one]) => ({ id: Number(id), ...one })));
	const { vocab } = json.model;
	for (const content of named) {
		const id = added.get(content)?.id ?? findId(vocab, content);
		if (id === undefined) continue;
		const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
		added.set(content, { id, content, ...plain, ...added.get(content), special: true });
	}
	return { name, json: { ...json, added_tokens: [...added.values()].sort((a, b) => a.id - b.id) }, special };
}

function findId(vocab: TokenizerJson["model"]["vocab"], token: string): number | undefined {
	if (!Array.isArray(vocab)) return Object.hasOwn(vocab, token) ? vocab[token] : undefined;
	const id = vocab.findIndex(([one]) => one === token);
	return id < 0 ? undefined : id;
}

function assertSamePrefix(name: string, json: TokenizerJson, settings: Partial<Settings>): void {
	const found = settings.add_prefix_space;
	const own = json.pre_tokenizer?.type === "ByteLevel" ? (json.pre_tokenizer.add_prefix_space ?? true) : undefined;
	if (found === undefined || own === undefined || own === found) return;
	const message = `add_prefix_space: found ${own}, expected ${found} as in ${SETTINGS_FILES[0]}`;
	throw new TailtuneError("model", `${name}: ${message}`);
}

function differing(name: string, { content, id }: AddedToken, before: number): TailtuneError {
	const found = `found id ${before}, expected id ${id} as in ${SETTINGS_FILES[0]}`;
	return new TailtuneError("model", `${name}: added token ${JSON.stringify(content)}: ${found}`);
}

function parseAs<T>(schema: z.ZodType<T>, files: TokenizerFiles, name: string): T {
	return checkValue(schema, parseTokenizerFile(files, name), join(files.folder, name), "model");
}
