import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { loadRunTokenizer, loadTokenizer } from "../../../coordinator/tokenizer/load-tokenizer.ts";
import { parseDefinition } from "../../../coordinator/tokenizer/read-definition.ts";
import { createTokenizer } from "../../../coordinator/tokenizer/tokenizer.ts";
import { writeTokenizer } from "../../../coordinator/tokenizer/write-tokenizer.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { SPECIAL_TOKENS, type SpecialTokensInTexts } from "../../../shared/settings/config.ts";
import { gpt2 } from "../../gpt2-tokenizer.ts";
import { newFolder } from "../../new-folder.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A small tokenizer.json of each kind. */
const small: Json[] = await Promise.all(
	["byte-level", "word-piece", "split", "unigram", "byte-fallback"].map(async (name) =>
		JSON.parse(await readFile(new URL(`../../golden/tokenizers/${name}.json`, import.meta.url), "utf8")),
	),
);

const original = await newFolder();
test.before(() => writeTokenizer(original, gpt2, 1024));
test.after.always(() => rm(original, { recursive: true }));

const load = (folder: string, size = 50257) => loadTokenizer(folder, size, "text");

/** Makes a folder with some of the files of GPT-2's tokenizer. */
async function folderWith(t: ExecutionContext, ...names: string[]): Promise<string> {
	const folder = await temporaryFolder(t);
	for (const name of names) await cp(join(original, name), join(folder, name));
	return folder;
}

/** Replaces a text in a file, which must contain it. */
async function change(folder: string, name: string, from: string | RegExp, to: string): Promise<void> {
	const before = await readFile(join(folder, name), "utf8");
	const after = before.replace(from, to);
	if (after === before) throw new Error(`${name}: nothing to change`);
	await writeFile(join(folder, name), after);
}

test("GPT-2's tokenizer is the same from its files, from their older and newer forms, and without any file", async (t) => {
	const bare = await temporaryFolder(t);
	for (const size of [50257, 50304]) t.is((await load(bare, size)).hash, gpt2.hash);
	t.is((await load(original)).hash, gpt2.hash);
	t.is((await load(await folderWith(t, "vocab.json", "merges.txt"))).hash, gpt2.hash);
	const folder = await folderWith(t, "tokenizer.json");
	// As in OpenAI's models on the hub (no type, no regex flag), and with merges as transformers 5 writes them.
	await change(folder, "tokenizer.json", '"type":"BPE",', "");
	await change(folder, "tokenizer.json", ',"use_regex":true', "");
	const tokenizer = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8"));
	tokenizer.model.merges = tokenizer.model.merges.map((merge: string) => merge.split(" "));
	await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer, null, 2));
	t.is((await load(folder)).hash, gpt2.hash);
	const pair = await folderWith(t, "vocab.json", "merges.txt");
	await change(pair, "merges.txt", "#version: 0.2\n", "");
	await change(pair, "merges.txt", /\n/g, "\r\n");
	t.is((await load(pair)).hash, gpt2.hash);
});

test("added tokens of every file count, and pad with the model's own pad token if the model has a row for it", async (t) => {
	const folder = await folderWith(t, "vocab.json", "merges.txt");
	await writeFile(join(folder, "added_tokens.json"), '{"[PAD]":50257,"crypto":50258}');
	await writeFile(join(folder, "special_tokens_map.json"), '{"pad_token":{"content":"[PAD]"}}');
	const tokenizer = await load(folder, 50259);
	t.is(tokenizer.padId, 50257);
	t.deepEqual([...(tokenizer.tokenize(["crypto"])[0] ?? [])], [50258]);
	t.deepEqual(tokenizer.tokenize(["[PAD]"]), gpt2.tokenize(["[PAD]"]));
	await writeFile(join(folder, "added_tokens.json"), '{"[PAD]":50257}');
	t.is((await load(folder)).padId, gpt2.padId);
	await rm(join(folder, "special_tokens_map.json"));
	const added = '{"added_tokens_decoder":{"50257":{"content":"[PAD]","special":true}},"pad_token":"[PAD]"}';
	await writeFile(join(folder, "tokenizer_config.json"), added);
	t.is((await load(folder, 50258)).padId, 50257);
});

test("without a special token texts are padded with a byte that no text contains", async (t) => {
	const folder = await folderWith(t, "tokenizer.json");
	await change(folder, "tokenizer.json", /"added_tokens":\[.*?\]/, '"added_tokens":[]');
	const { padId, definition } = await load(folder);
	t.is(definition.special.pad, "ÿ");
	t.false(gpt2.tokenize(["ÿ"])[0]?.includes(padId));
});

test("names of special tokens are tokens if that is asked for", async (t) => {
	const text = ["a<|endoftext|>b"];
	t.deepEqual([...((await loadTokenizer(original, 50257, "tokens")).tokenize(text)[0] ?? [])], [64, 50256, 65]);
	t.false((await load(original)).tokenize(text)[0]?.includes(50256));
});

const REFUSED: [what: string, file: string, from: string | RegExp, to: string, found: string][] = [
	["a missing token", "tokenizer.json", '"Ġthe":262,', "", 'merges.6: found "Ġt he", expected two tokens that'],
	["an id that isn't a number", "tokenizer.json", '"Ġthe":262', '"Ġthe":"x"', 'model.vocab: token "Ġthe": found "x"'],
	["an id without a row", "tokenizer.json", '"Ġthe":262', '"Ġthe":50300', 'token "Ġthe": found id 50300, expected at'],
	["dropout", "tokenizer.json", '"dropout":null', '"dropout":0.1', "model.dropout: found 0.1"],
	["another model", "tokenizer.json", '"type":"BPE"', '"type":"Magic"', 'model.type: found "Magic"'],
	[
		"another normalizer",
		"tokenizer.json",
		'"normalizer":null',
		'"normalizer":{"type":"Magic"}',
		'normalizer: found {"type":"Magic"}, expected NFC',
	],
	[
		"another post-processor",
		"tokenizer.json",
		/"post_processor":\{"type":"ByteLevel"/,
		'"post_processor":{"type":"Magic"',
		'post_processor: found {"type":"Magic"',
	],
	[
		"a merge that isn't a pair",
		"tokenizer.json",
		'"merges":["Ġ t"',
		'"merges":["Ġ t",7',
		"model.merges.1: found 7, expected",
	],
	[
		"a sequence without parts",
		"tokenizer.json",
		'"pre_tokenizer":{"type":"ByteLevel"',
		'"pre_tokenizer":{"type":"Sequence"',
		'pre_tokenizer: found {"type":"Sequence"',
	],
	[
		"more levels than functions can call themselves",
		"tokenizer.json",
		'"normalizer":null',
		`"normalizer":${'{"type":"Sequence","normalizers":['.repeat(20_000)}${"]}".repeat(20_000)}`,
		"found more than 128 levels of lists and objects, expected at most 128",
	],
	[
		"a key that isn't an id",
		"tokenizer_config.json",
		"{",
		'{"added_tokens_decoder":{"1.5":{"content":"hello"}},',
		'added_tokens_decoder: found {"1.5":{"content":"hello"',
	],
	["a token before texts", "tokenizer_config.json", "{", '{"add_bos_token": true,', "add_bos_token: found true"],
];

for (const [what, file, from, to, found] of REFUSED) {
	test(`refuses ${what} in ${file}, naming the file`, async (t) => {
		const folder = await folderWith(t, file, "tokenizer.json");
		await change(folder, file, from, to);
		const error = await t.throwsAsync(load(folder), { code: "model" });
		t.true(error?.message.startsWith(`${join(folder, file)}: ${found}`), error?.message);
		t.false(error?.message.includes("\n"));
	});
}

test("refuses files that differ, other files alone, and a vocabulary of another size without files", async (t) => {
	const folder = await folderWith(t, "tokenizer.json");
	await writeFile(join(folder, "tokenizer_config.json"), '{"add_prefix_space":true}');
	await t.throwsAsync(load(folder), { message: /tokenizer\.json: add_prefix_space: found false, expected true as in/ });
	const id = '{"added_tokens_decoder":{"7":{"content":"<|endoftext|>"}}}';
	await writeFile(join(folder, "tokenizer_config.json"), id);
	await t.throwsAsync(load(folder), { message: /added token "<\|endoftext\|>": found id 50256, expected id 7 as in/ });
	const missing = /; expected a tokenizer\.json \(or vocab\.json and merges\.txt, or vocab\.txt\) in the same folder$/;
	const bare = await temporaryFolder(t);
	await t.throwsAsync(load(bare, 32000), { code: "model", message: missing });
	await t.throwsAsync(load(bare, 32000), { message: /config\.json: vocab_size: found 32000, not GPT-2's 50257;/ });
	await writeFile(join(bare, "spiece.model"), "");
	await t.throwsAsync(load(bare), { message: missing });
	await t.throwsAsync(load(await folderWith(t, "vocab.json")), {
		message: /: expected tokenizer\.json, or also merges\.txt$/,
	});
});

test("a tuned model's tokenizer must be that of its run", async (t) => {
	const asked = { specialTokens: "text", tokenizer: gpt2.hash } as const;
	t.is((await loadRunTokenizer(original, 50257, asked)).hash, gpt2.hash);
	const folder = await folderWith(t, "tokenizer.json");
	await change(folder, "tokenizer.json", '"Ġ t","Ġ a"', '"Ġ a","Ġ t"');
	await t.throwsAsync(loadRunTokenizer(folder, 50257, asked), {
		code: "model",
		message: /: found another tokenizer \(sha256 [0-9a-f]{12}\), expected that of the training run \([0-9a-f]{12}\)$/,
	});
});

/** Creates a tokenizer from the content of a tokenizer.json. */
async function create(json: Json, specialTokens: SpecialTokensInTexts = "text") {
	const contents = new Map([["tokenizer.json", Buffer.from(JSON.stringify(json))]]);
	return createTokenizer(await parseDefinition({ folder: "m", contents }, 600), 600, specialTokens);
}

/** Lists the places of all values in a value, of long lists and records only the first ones. */
function listPlaces(value: Json, place: readonly string[] = []): (readonly string[])[] {
	const inside = typeof value === "object" && value !== null ? Object.entries(value).slice(0, 20) : [];
	return [place, ...inside.flatMap(([key, own]) => listPlaces(own, [...place, key]))];
}

/** Returns a value with the part at a place replaced, or left out if undefined is given. */
function replaceAt(value: Json, [key, ...place]: readonly string[], by: Json | undefined): Json {
	if (key === undefined) return by ?? null;
	const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as { [key: string]: Json };
	const part = place.length === 0 ? by : replaceAt(copy[key] as Json, place, by);
	if (part !== undefined) copy[key] = part;
	else if (Array.isArray(copy)) copy.splice(Number(key), 1);
	else delete copy[key];
	return copy;
}

const values = fc.oneof(
	fc.constantFrom<Json | undefined>(undefined, null, "", "-", [], {}, [null], -1, 0.5, 600, 1e9, { type: "Sequence" }),
	fc.constantFrom("ByteLevel", "Sequence", "Split", "NFD", "BPE", "WordPiece", "Unigram"),
	fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);
const damaged = fc
	.constantFrom(...small)
	.chain((json) =>
		fc
			.array(fc.tuple(fc.constantFrom(...listPlaces(json)), values), { minLength: 1, maxLength: 2 })
			.map((changes) => changes.reduce((before, [place, value]) => replaceAt(before, place, value), json)),
	);

test("names the setting, pattern or id that can't be used, each time", async (t) => {
	const [, wordPiece = null, split = null] = small;
	const longest = replaceAt(wordPiece, ["model", "max_input_chars_per_word"], -1);
	await t.throwsAsync(create(longest), {
		message: /: model\.max_input_chars_per_word: found -1, expected at least 0$/,
	});
	const far = replaceAt(wordPiece, ["post_processor", "special_tokens", "[SEP]", "ids", "0"], 600);
	const row = "found id 600, expected at most 599, because vocab_size in config.json is 600";
	await t.throwsAsync(create(far), { message: `m/tokenizer.json: post_processor: ${row}` });
	const unnamed = replaceAt(wordPiece, ["post_processor", "special_tokens", "[SEP]"], undefined);
	await t.throwsAsync(create(unnamed), { message: /: post_processor: found \{"type":"TemplateProcessing"/ });
	const inherited = replaceAt(wordPiece, ["post_processor", "single", "0", "SpecialToken", "id"], "constructor");
	await t.throwsAsync(create(inherited), { message: /: post_processor: found \{"type":"TemplateProcessing"/ });
	const beyond = replaceAt(split, ["added_tokens", "0", "id"], 600);
	await t.throwsAsync(create(beyond, "tokens"), { message: `m/tokenizer.json: token "<|endoftext|>": ${row}` });
	t.truthy(await create(beyond));
	const reserved = replaceAt(split, ["pre_tokenizer", "pretokenizers", "0", "pattern", "Regex"], "[\u{10ff00}]");
	for (const _ of ["first", "second"])
		await t.throwsAsync(create(reserved), { message: /: pre_tokenizer: found \{"type":"Split"/ });
});

test("a token with a name that all objects have is only known if the vocabulary has it", async (t) => {
	const [json = null] = small;
	const added = async (tokenizer: Json) => {
		const contents = new Map([
			["tokenizer.json", Buffer.from(JSON.stringify(tokenizer))],
			["tokenizer_config.json", Buffer.from('{"eos_token":"constructor"}')],
		]);
		const { added_tokens } = (await parseDefinition({ folder: "m", contents }, 600)).json;
		return added_tokens.filter(({ content }) => content === "constructor").map(({ id }) => id);
	};
	t.deepEqual(await added(json), []);
	t.deepEqual(await added(replaceAt(json, ["model", "vocab", "constructor"], 500)), [500]);
});

test("a damaged tokenizer.json is refused in one line, or its tokens have rows", async (t) => {
	await fc.assert(
		fc.asyncProperty(damaged, fc.constantFrom(...SPECIAL_TOKENS), async (json, specialTokens) => {
			try {
				const { tokenize } = await create(json, specialTokens);
				const [tokens = []] = tokenize(["Der Fluß 12 <|endoftext|>[SEP]  São Paulo\n\ud800-x"]);
				t.true(tokens.every((id) => id < 600));
			} catch (error) {
				if (!(error instanceof TailtuneError)) throw error;
				t.regex(error.message, /^m(\/tokenizer\.json)?: .+$/);
			}
		}),
		{ numRuns: 300 },
	);
});
