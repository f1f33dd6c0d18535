import test from "ava";
import fc from "fast-check";
import { decode } from "gpt-tokenizer/encoding/r50k_base";
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
