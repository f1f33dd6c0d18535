import test from "ava";
import { findReadPart } from "../../../coordinator/training/find-read-part.ts";
import { gpt2, tokenize } from "../../gpt2-tokenizer.ts";

test("the part of a text that is read has as many tokens as are read, and is no longer than that needs", (t) => {
	const text = "An unbelievably long text — with 1,234 words, of which only some are read. ".repeat(20);
	const part = findReadPart(text, 30, gpt2);
	t.true(text.startsWith(part) && part.length < 200);
	const [own, shorter] = tokenize([part, part.slice(0, -1)]);
	t.is(own?.length, 30);
	t.true((shorter?.length ?? 0) < 30);
	t.is(findReadPart("short", 30, gpt2), "short");
});
