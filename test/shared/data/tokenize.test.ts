import test from "ava";
import fc from "fast-check";
import ranks from "gpt-tokenizer/bpeRanks/r50k_base";
import { decode, encode } from "gpt-tokenizer/encoding/r50k_base";
import { tokenize } from "../../../shared/data/tokenize.ts";

const tokensOf = async (...texts: string[]) => (await tokenize(texts)).map((tokens) => [...tokens]);

test("known texts have GPT-2's tokens", async (t) => {
	t.deepEqual(await tokensOf("Hello world", "Hello, I'm a language model,", "  two\n\nlines", ""), [
		[15496, 995],
		[15496, 11, 314, 1101, 257, 3303, 2746, 11],
		[220, 734, 198, 198, 6615],
		[],
	]);
});

test("what looks like a special token is ordinary text", async (t) => {
	t.deepEqual(await tokensOf("<|endoftext|>"), [[27, 91, 437, 1659, 5239, 91, 29]]);
});

test("half a surrogate pair counts as the replacement character", async (t) => {
	t.deepEqual(await tokensOf("a\ud800b", "a\udc00b"), [
		...(await tokensOf("a\ufffdb")),
		...(await tokensOf("a\ufffdb")),
	]);
});

test("decoding gives any well-formed text back", async (t) => {
	const texts = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })));
	await fc.assert(
		fc.asyncProperty(texts, async (all) => {
			t.deepEqual(
				(await tokenize(all)).map((tokens) => decode(tokens)),
				all,
			);
		}),
	);
});

test("the first tokens of a text are the same without the rest, and remembered words change nothing", async (t) => {
	const texts = Array.from({ length: 600 }, (_, index) => `Unbelievable prize no. ${index}: antidisestablishment`);
	const whole = await tokenize(texts);
	for (const most of [1, 4, 1000]) {
		t.deepEqual(
			await tokenize(texts, most),
			whole.map((tokens) => tokens.slice(0, most)),
		);
	}
	t.deepEqual((await tokenize(texts.slice(-1)))[0], whole.at(-1));
});

/** Words much longer than what is encoded at once: of a few letters, of one kind of character, of bytes of every kind. */
const longWords = fc.oneof(
	...[
		"ab",
		"漢字仮名",
		"0123456789",
		"=-",
		" \n\t",
		"'!?\u0301",
		"e\u0301é",
		"👍🏽\ud800",
		"𝐀𝐁\ud835x",
		"\ufffd\ud83d",
	].map((letters) => fc.string({ unit: fc.constantFrom(...letters), minLength: 200, maxLength: 1500, size: "max" })),
	fc.string({ unit: "binary", maxLength: 600, size: "max" }),
	fc.string({ unit: "grapheme", maxLength: 600, size: "max" }),
);
const longTexts = fc.array(fc.oneof(longWords, fc.constantFrom(" ", "  ", "\n\n", "'s", "word")), { maxLength: 4 });

test("long words have the tokens that encoding them at once gives, and the first of them are the same", async (t) => {
	const property = fc.asyncProperty(longTexts, fc.integer({ min: 1, max: 2000 }), async (parts, most) => {
		const text = parts.join("");
		const expected = encode(text, { disallowedSpecial: new Set() });
		t.deepEqual(await tokensOf(text), [expected]);
		t.deepEqual([...((await tokenize([text], most))[0] ?? [])], expected.slice(0, most));
	});
	await fc.assert(property, { numRuns: 150 });
});

test("words of 200,000 characters are encoded like others", async (t) => {
	for (const letters of ["a", "漢字", "7", " ", "=", "é"]) {
		const text = letters.repeat(200_000 / letters.length);
		const [tokens = []] = await tokensOf(text);
		t.is(Buffer.concat(tokens.map((token) => Buffer.from(ranks[token] ?? ""))).toString(), text);
		t.deepEqual([...((await tokenize([text], 50))[0] ?? [])], tokens.slice(0, 50));
	}
});
