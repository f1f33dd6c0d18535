import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import test from "ava";
import fc from "fast-check";
import ranks from "gpt-tokenizer/bpeRanks/r50k_base";
import { tokenize } from "../../gpt2-tokenizer.ts";
import { IS_SLOW } from "../../slow.ts";

/** Results of tiktoken for every code point: see `tokens/generate.py`. */
interface CodePoints {
	/** Texts with `{c}` for the code point: of planes 0 and 1, and of all others. */
	readonly company: string;
	readonly littleCompany: string;
	/** Ids of the first text, by code point in hexadecimal. */
	readonly sample: Readonly<Record<string, readonly number[]>>;
	/** For each plane, sha256 over all texts' numbers of ids and ids: code point by code point, in each of its texts. */
	readonly planes: readonly string[];
}

const codePoints: CodePoints = JSON.parse(await readFile(new URL("tokens/code-points.json", import.meta.url), "utf8"));

const fill = (template: string, point: number) => template.replaceAll("{c}", () => String.fromCodePoint(point));

const tokensOf = async (...texts: string[]) => tokenize(texts).map((tokens) => [...tokens]);

test("known texts have GPT-2's tokens", async (t) => {
	t.deepEqual(await tokensOf("Hello world", "Hello, I'm a language model,", "  two\n\nlines", ""), [
		[15496, 995],
		[15496, 11, 314, 1101, 257, 3303, 2746, 11],
		[220, 734, 198, 198, 6615],
		[],
	]);
});

test("a special token's name is ordinary text", async (t) => {
	t.deepEqual(await tokensOf("<|endoftext|>"), [[27, 91, 437, 1659, 5239, 91, 29]]);
});

test("a sample of code points has tiktoken's ids next to letters, digits, blanks and line ends", async (t) => {
	for (const [point, ids] of Object.entries(codePoints.sample)) {
		t.deepEqual(await tokensOf(fill(codePoints.company, Number.parseInt(point, 16))), [[...ids]], `U+${point}`);
	}
});

test(`every code point${IS_SLOW ? "" : " of plane 0"} has tiktoken's ids, alone and next to letters, digits, blanks and line ends`, async (t) => {
	for (const [plane, expected] of codePoints.planes.slice(0, IS_SLOW ? undefined : 1).entries()) {
		const hash = createHash("sha256");
		const templates = plane < 2 ? ["{c}", codePoints.company] : [codePoints.littleCompany];
		for (let start = plane << 16; start < (plane + 1) << 16; start += 4096) {
			const points = Array.from({ length: 4096 }, (_, i) => start + i).filter((point) => point >> 11 !== 0xd800 >> 11);
			const texts = points.flatMap((point) => templates.map((template) => fill(template, point)));
			for (const ids of tokenize(texts)) hash.update(Uint32Array.of(ids.length, ...ids));
		}
		t.is(hash.digest("hex"), expected, `plane ${plane}`);
	}
});

test("half a surrogate pair counts as the replacement character", async (t) => {
	t.deepEqual(await tokensOf("a\ud800b", "a\udc00b"), [
		...(await tokensOf("a\ufffdb")),
		...(await tokensOf("a\ufffdb")),
	]);
});

const textOf = (tokens: Iterable<number>) =>
	Buffer.concat(Array.from(tokens, (token) => Buffer.from(ranks[token] ?? ""))).toString();

test("decoding restores any well-formed text", async (t) => {
	const texts = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })));
	await fc.assert(
		fc.asyncProperty(texts, async (all) => {
			t.deepEqual(
				tokenize(all).map((tokens) => textOf(tokens)),
				all,
			);
		}),
	);
});

test("the first tokens of a text are the same without the rest, and cached words change nothing", async (t) => {
	const texts = Array.from({ length: 600 }, (_, index) => `Unbelievable prize no. ${index}: antidisestablishment`);
	const whole = tokenize(texts);
	for (const most of [1, 4, 1000]) {
		t.deepEqual(
			tokenize(texts, most),
			whole.map((tokens) => tokens.slice(0, most)),
		);
	}
	t.deepEqual(tokenize(texts.slice(-1))[0], whole.at(-1));
});

test("words of 200,000 characters are encoded like others", async (t) => {
	for (const letters of ["a", "漢字", "7", " ", "=", "é"]) {
		const text = letters.repeat(200_000 / letters.length);
		const [tokens = []] = await tokensOf(text);
		t.is(textOf(tokens), text);
		t.deepEqual([...(tokenize([text], 50)[0] ?? [])], tokens.slice(0, 50));
	}
});
