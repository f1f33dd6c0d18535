import test from "ava";
import { tokenize } from "../../../coordinator/data/tokenize.ts";
import { findReadPart } from "../../../coordinator/training/find-read-part.ts";

test("the part of a text that is read has as many tokens as are read, and is no longer than that needs", async (t) => {
	const text = "An unbelievably long text — with 1,234 words, of which only some are read. ".repeat(20);
	const part = await findReadPart(text, 30);
	t.true(text.startsWith(part) && part.length < 200);
	const [own, shorter] = await tokenize([part, part.slice(0, -1)]);
	t.is(own?.length, 30);
	t.true((shorter?.length ?? 0) < 30);
	t.is(await findReadPart("short", 30), "short");
});
