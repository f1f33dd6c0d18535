import test from "ava";
import { readText } from "../../../coordinator/serve/read-text.ts";
import { gpt2 } from "../../gpt2-tokenizer.ts";

const refuse = (tokens: number) => ({ tokens, long: "refuse" }) as const;
const cut = (tokens: number) => ({ tokens, long: "cut" }) as const;
const windows = (tokens: number) => ({ tokens, long: "windows" }) as const;

test("a text becomes tokens; one of exactly the limit is not cut", (t) => {
	t.deepEqual([...readText("Hello world", refuse(2), 1, gpt2).windows[0]], [15496, 995]);
	t.false(readText("Hello world", cut(2), 1, gpt2).cut);
});

test("a longer text is refused, cut or divided, as the limit says", (t) => {
	const text = "Hello world again";
	const { windows: parts, cut: isCut, tokens } = readText(text, cut(2), 1, gpt2);
	t.deepEqual([parts.map((part) => [...part]), isCut, tokens], [[[15496, 995]], true, 2]);
	t.throws(() => readText(text, refuse(2), 1, gpt2), { code: "data", message: /more than 2 tokens/ });
	const divided = readText(text, windows(2), 2, gpt2);
	t.deepEqual(
		divided.windows.map((part) => [...part]),
		[
			[15496, 995],
			[995, 757],
		],
	);
	t.false(divided.cut);
	t.is(divided.tokens, 3);
});

test("a text of more windows than may wait is refused", (t) => {
	t.throws(() => readText("word ".repeat(100), windows(8), 20, gpt2), {
		code: "data",
		message: "text: found 101 tokens in 25 windows, expected at most 20 windows (--max-queue)",
	});
});

test("an empty text is refused", (t) => {
	for (const text of ["", "  \n\t"])
		t.throws(() => readText(text, cut(8), 1, gpt2), { code: "data", message: /empty/ });
});

test("the text after the limit isn't read", (t) => {
	const text = `${"word ".repeat(1000)}${"a".repeat(100_000)}`;
	t.is(readText(text, cut(8), 1, gpt2).windows[0].length, 8);
	t.is(readText(`a${" ".repeat(100_000)}b`, cut(8), 1, gpt2).windows[0].length, 8);
});
