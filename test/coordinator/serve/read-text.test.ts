import test from "ava";
import { readText } from "../../../coordinator/serve/read-text.ts";

const refuse = (tokens: number) => ({ tokens, long: "refuse" }) as const;
const cut = (tokens: number) => ({ tokens, long: "cut" }) as const;
const windows = (tokens: number) => ({ tokens, long: "windows" }) as const;

test("a text becomes tokens; one of exactly the limit is not cut", async (t) => {
	t.deepEqual([...(await readText("Hello world", refuse(2), 1)).windows[0]], [15496, 995]);
	t.false((await readText("Hello world", cut(2), 1)).cut);
});

test("a longer text is refused, cut or divided, as the limit says", async (t) => {
	const text = "Hello world again";
	const { windows: parts, cut: isCut, tokens } = await readText(text, cut(2), 1);
	t.deepEqual([parts.map((part) => [...part]), isCut, tokens], [[[15496, 995]], true, 2]);
	await t.throwsAsync(readText(text, refuse(2), 1), { code: "data", message: /more than 2 tokens/ });
	const divided = await readText(text, windows(2), 2);
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

test("a text of more windows than may wait is refused", async (t) => {
	await t.throwsAsync(readText("word ".repeat(100), windows(8), 20), {
		code: "data",
		message: "text: found 101 tokens in 25 windows, expected at most 20 windows (--max-queue)",
	});
});

test("an empty text is refused", async (t) => {
	for (const text of ["", "  \n\t"]) await t.throwsAsync(readText(text, cut(8), 1), { code: "data", message: /empty/ });
});

test("the text after the limit isn't read", async (t) => {
	const text = `${"word ".repeat(1000)}${"a".repeat(100_000)}`;
	t.is((await readText(text, cut(8), 1)).windows[0].length, 8);
	t.is((await readText(`a${" ".repeat(100_000)}b`, cut(8), 1)).windows[0].length, 8);
});
