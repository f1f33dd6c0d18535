import test from "ava";
import { readText } from "../../../coordinator/serve/read-text.ts";

test("a text becomes tokens; one of exactly the limit is not cut", async (t) => {
	t.deepEqual([...(await readText("Hello world", 2, false)).tokens], [15496, 995]);
	t.false((await readText("Hello world", 2, true)).truncated);
});

test("a longer text is cut if the caller agrees, otherwise refused", async (t) => {
	const cut = await readText("Hello world again", 2, true);
	t.deepEqual([...cut.tokens], [15496, 995]);
	t.true(cut.truncated);
	await t.throwsAsync(readText("Hello world again", 2, false), { code: "data", message: /more than 2 tokens/ });
});

test("an empty text is refused", async (t) => {
	for (const text of ["", "  \n\t"]) await t.throwsAsync(readText(text, 8, true), { code: "data", message: /empty/ });
});

test("the text after the limit isn't read", async (t) => {
	const text = `${"word ".repeat(1000)}${"a".repeat(100_000)}`;
	t.is((await readText(text, 8, true)).tokens.length, 8);
	t.is((await readText(`a${" ".repeat(100_000)}b`, 8, true)).tokens.length, 8);
});
