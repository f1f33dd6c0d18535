import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { loadTokenizer } from "../../../coordinator/tokenizer/load-tokenizer.ts";
import { writeTokenizer } from "../../../coordinator/tokenizer/write-tokenizer.ts";
import { SPECIAL_TOKENS, type SpecialTokensInTexts } from "../../../shared/settings/config.ts";
import { IS_SLOW } from "../../slow.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const NAMES = ["byte-level", "word-piece", "split", "unigram", "byte-fallback"] as const;

/** Ids of Hugging Face's library: see `test/golden/tokenizers/generate.py`. */
interface GoldenIds {
	readonly texts: readonly string[];
	/** By tokenizer and meaning of special tokens. */
	readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
	/** A text with `{c}` for a code point, and units that are repeated to long texts. */
	readonly company: string;
	readonly long: readonly string[];
	/** By tokenizer: hashes for each 4096 code points of planes 0 and 1, and one for the long texts. */
	readonly hashes: Readonly<Record<string, readonly string[]>>;
}

const golden = new URL("../../golden/tokenizers/", import.meta.url);
const { texts, ids, company, long, hashes }: GoldenIds = JSON.parse(
	await readFile(new URL("ids.json", golden), "utf8"),
);

/** Loads a tokenizer from a folder with only its `tokenizer.json`, after changes to its content. */
async function load(
	t: ExecutionContext,
	name: (typeof NAMES)[number],
	specialTokens: SpecialTokensInTexts = "text",
	changes: readonly (readonly [from: string, to: string])[] = [],
) {
	const folder = await temporaryFolder(t);
	const original = await readFile(new URL(`${name}.json`, golden), "utf8");
	const content = changes.reduce((before, [from, to]) => before.replace(from, () => to), original);
	await writeFile(join(folder, "tokenizer.json"), content);
	return loadTokenizer(folder, 1000, specialTokens);
}

for (const name of NAMES) {
	test(`${name}: texts have the ids of Hugging Face's library, also after the tokenizer was written again`, async (t) => {
		for (const specialTokens of SPECIAL_TOKENS) {
			const tokenizer = await load(t, name, specialTokens);
			const folder = await temporaryFolder(t);
			await writeTokenizer(folder, tokenizer, 100);
			const again = await loadTokenizer(folder, 1000, specialTokens);
			t.is(again.hash, tokenizer.hash);
			const expected = ids[`${name} ${specialTokens}`] ?? [];
			for (const own of [tokenizer, again])
				for (const [i, tokens] of own.tokenize(texts).entries()) {
					t.deepEqual([...tokens], expected[i], `${specialTokens}: ${JSON.stringify(texts[i])}`);
					t.true(own.mayExceed(texts[i] ?? "", tokens.length - 1));
				}
		}
	});
}

function hashOf(all: readonly Uint32Array[]): string {
	const hash = createHash("sha256");
	for (const tokens of all) hash.update(Uint32Array.of(tokens.length)).update(tokens);
	return hash.digest("hex");
}

/** Blocks of 4096 code points that are compared. */
const BLOCKS = IS_SLOW ? Array.from({ length: 32 }, (_, block) => block) : [0];

for (const name of NAMES) {
	test(`${name}: ${IS_SLOW ? "131,072" : "4,096"} code points and long words have the ids of Hugging Face's library`, async (t) => {
		const { tokenize } = await load(t, name);
		for (const block of BLOCKS) {
			const points = Array.from({ length: 4096 }, (_, i) => block * 4096 + i).filter((p) => p >> 11 !== 0xd800 >> 11);
			const inCompany = points.map((point) => company.replaceAll("{c}", () => String.fromCodePoint(point)));
			t.is(hashOf(tokenize(inCompany)), hashes[name]?.[block] ?? "", `block ${block}`);
		}
		const lengths = [50, 99, 100, 101, 150, 2500, 20_000];
		t.is(
			hashOf(tokenize(long.flatMap((unit) => lengths.map((length) => unit.repeat(length))))),
			hashes[name]?.[32] ?? "",
		);
	});

	if (IS_SLOW) {
		test(`${name}: encodes words of a million characters`, async (t) => {
			const { tokenize } = await load(t, name);
			for (const unit of ["a", "über", "天气", "A\u0301", "="]) {
				const text = unit.repeat(1_000_000 / unit.length);
				const [tokens = []] = tokenize([text]);
				t.deepEqual([...(tokenize([text], 50)[0] ?? [])].slice(0, 50), [...tokens].slice(0, 50));
			}
		});
	}
}

test("signs in added tokens, delimiters and replacements count as themselves, with the ids of Hugging Face's library", async (t) => {
	const added = '"added_tokens":[{"id":420,"content":"a-b"},{"id":421,"content":"$x/^"},';
	const hyphen = '"pretokenizers":[{"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithPrevious"},';
	const split = await load(t, "split", "text", [
		['"added_tokens":[', added],
		['"pretokenizers":[', hyphen],
	]);
	const [tokens = []] = split.tokenize(["x-y a-b 12-34-- $x/^ a/b"]);
	t.deepEqual([...tokens], [88, 13, 89, 221, 420, 221, 17, 18, 13, 19, 20, 13, 13, 221, 421, 261, 15, 66]);
	const unigram = await load(t, "unigram", "text", [['"replacement":"▁"', '"replacement":"-"']]);
	t.deepEqual([...(unigram.tokenize(["im-Fluß Die"])[0] ?? [])], [44, 9, 17, 44, 149, 82, 48, 44, 152, 9, 5]);
});

test("an added token without characters in its normal form is never found", async (t) => {
	const { tokenize } = await load(t, "byte-level", "text", [
		['"added_tokens":[', '"added_tokens":[{"id":430,"content":"\u0301","normalized":true},'],
		['"normalizer":{"type":"NFC"}', '"normalizer":{"type":"StripAccents"}'],
	]);
	t.deepEqual(tokenize(["Sa\u0301 b"]), tokenize(["Sa b"]));
	t.false(tokenize(["Sa b"])[0]?.includes(430));
});

test("of added tokens with the same normal form the first one is found, as in Hugging Face's library", async (t) => {
	const flags = '"normalized":true,"special":false';
	const { tokenize } = await load(t, "byte-level", "text", [
		['"added_tokens":[', `"added_tokens":[{"id":430,"content":"Zq",${flags}},{"id":431,"content":"zq",${flags}},`],
		['"normalizer":{"type":"NFC"}', '"normalizer":{"type":"Lowercase"}'],
	]);
	t.deepEqual([...(tokenize(["a zq Zq ZQ b"])[0] ?? [])], [261, 221, 430, 221, 430, 221, 430, 221, 66]);
});

test("a text that pre-tokenizers only divide has at most one token per byte", async (t) => {
	const { tokenize, mayExceed } = await load(t, "split");
	const text = "12 ß\n漢";
	t.true((tokenize([text])[0] as Uint32Array).length <= Buffer.byteLength(text));
	t.false(mayExceed(text, Buffer.byteLength(text)));
	// These write one byte as several.
	const metaspace = '"pretokenizers":[{"type":"Metaspace"},';
	t.true((await load(t, "split", "text", [['"pretokenizers":[', metaspace]])).mayExceed(text, 1000));
	t.true((await load(t, "byte-level")).mayExceed(text, 1000));
});

/** Ids of transformers' BertTokenizer with the same vocabulary: texts, settings, ids. */
const BERT: readonly (readonly [settings: object, ids: readonly (readonly number[])[]])[] = [
	[
		{},
		[
			[2, 118, 168, 80, 141, 268, 135, 116, 283, 3],
			[2, 56, 69, 77, 64, 3],
			[2, 133, 290, 3],
		],
	],
	[
		{ do_lower_case: false },
		[
			[2, 1, 1, 1, 1, 116, 1, 3],
			[2, 56, 69, 77, 64, 3],
			[2, 1, 1, 3],
		],
	],
	[
		{ strip_accents: false, tokenize_chinese_chars: false },
		[
			[2, 118, 168, 80, 141, 1, 1, 116, 283, 3],
			[2, 1, 3],
			[2, 1, 290, 3],
		],
	],
];

test("vocab.txt alone is the tokenizer that transformers makes of it and tokenizer_config.json", async (t) => {
	const { definition } = await load(t, "word-piece");
	const folder = await temporaryFolder(t);
	const tokens = Object.entries(definition.json.model.vocab).sort(([, a], [, b]) => a - b);
	await writeFile(join(folder, "vocab.txt"), tokens.map(([token]) => `${token}\r\n`).join(""));
	const usual = await loadTokenizer(folder, 1000, "text");
	t.deepEqual(
		usual.tokenize(texts).map((found) => [...found]),
		ids["word-piece text"]?.map((one) => [...one]),
	);
	const named = ["Der FLUSS führt ÜBER die Ufer", "天气预报", "São Paulo"];
	const settingsFile = join(folder, "tokenizer_config.json");
	for (const [settings, expected] of BERT) {
		await writeFile(settingsFile, JSON.stringify({ tokenizer_class: "BertTokenizer", ...settings }));
		const { tokenize } = await loadTokenizer(folder, 1000, "text");
		t.deepEqual(
			tokenize(named).map((found) => [...found]),
			expected.map((one) => [...one]),
		);
	}
	await writeFile(settingsFile, '{"tokenizer_class":"GPT2Tokenizer"}');
	const message = /: tokenizer_class: found GPT2Tokenizer, expected BertTokenizer, because vocab\.txt is the only/;
	await t.throwsAsync(loadTokenizer(folder, 1000, "text"), { code: "model", message });
	await writeFile(settingsFile, '{"sep_token":"<end>"}');
	const missing = { code: "model", message: /vocab\.txt: expected a line "<end>"$/ };
	await t.throwsAsync(loadTokenizer(folder, 1000, "text"), missing);
});
