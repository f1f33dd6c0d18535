import test from "ava";
import { limitTokens, padLength, tokenLimit } from "../../../coordinator/data/limit-tokens.ts";
import { TailtuneError } from "../../../shared/errors.ts";

const texts = [Uint32Array.of(1, 2), Uint32Array.of(1, 2, 3, 4)];
const sources = ["f:1", "f:2"];

test("a text longer than the context is refused with its row, or cut if --max-tokens is set", (t) => {
	const limit = tokenLimit({ pad: "bucket" }, 3);
	const error = t.throws(() => limitTokens(texts, sources, limit), { instanceOf: TailtuneError, code: "data" });
	t.is(
		error?.message,
		"f:2: found a text of 4 tokens, expected at most 3 (the model's context), or --max-tokens context to cut longer texts",
	);
	const cut = [Uint32Array.of(1, 2), Uint32Array.of(1, 2, 3)];
	t.deepEqual(limitTokens(texts, sources, tokenLimit({ pad: "bucket", maxTokens: "context" }, 3)), cut);
	t.deepEqual(limitTokens(texts, sources, tokenLimit({ pad: "bucket", maxTokens: 3 }, 9)), cut);
	t.deepEqual(limitTokens(texts, sources, tokenLimit({ pad: "bucket" }, 4)), texts);
});

test("a text longer than --pad N is refused, or cut with --max-tokens", (t) => {
	const error = t.throws(() => limitTokens(texts, sources, tokenLimit({ pad: 3 }, 9)), { code: "data" });
	t.regex(error?.message ?? "", /^f:2: found a text of 4 tokens, expected at most 3 \(--pad 3\)/);
	t.deepEqual(limitTokens(texts, sources, tokenLimit({ pad: 3, maxTokens: "context" }, 9))[1], Uint32Array.of(1, 2, 3));
	t.deepEqual(limitTokens(texts, sources, tokenLimit({ pad: 3, maxTokens: 2 }, 9))[1], Uint32Array.of(1, 2));
});

test("flags with more tokens than the context are refused", (t) => {
	const message = (flag: string) => `${flag}: found 10, expected at most the model's context (9)`;
	t.throws(() => tokenLimit({ pad: "bucket", maxTokens: 10 }, 9), { code: "usage", message: message("--max-tokens") });
	t.throws(() => tokenLimit({ pad: 10 }, 9), { code: "usage", message: message("--pad") });
});

test("texts are padded to the longest of the training set, to N tokens, or per batch", (t) => {
	t.is(padLength("longest", texts), 4);
	t.is(padLength(7, texts), 7);
	t.is(padLength("bucket", texts), undefined);
});
