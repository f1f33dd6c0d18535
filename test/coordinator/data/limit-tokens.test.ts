import test from "ava";
import { lengthFault, padLength, tokenizeWithin, tokenLimit } from "../../../coordinator/data/limit-tokens.ts";
import { LONG_TEXTS } from "../../../shared/settings/config.ts";
import { gpt2 } from "../../gpt2-tokenizer.ts";

const texts = [Uint32Array.of(1, 2), Uint32Array.of(1, 2, 3, 4)] as const;

test("a text longer than the limit is refused with its row and the flag that sets the limit, unless --long is set", (t) => {
	const faultOf = (settings: Parameters<typeof tokenLimit>[0], context: number) =>
		lengthFault(texts[1], "f:2", tokenLimit(settings, context))?.message;
	const message = (reason: string) =>
		`f:2: found a text of 4 tokens, expected at most 3 (${reason}); for longer texts use --long cut, head-tail or windows`;
	t.is(faultOf({ pad: "bucket" }, 3), message("the model's context"));
	t.is(faultOf({ pad: "bucket", maxTokens: "context" }, 3), message("the model's context"));
	t.is(faultOf({ pad: "bucket", maxTokens: 3 }, 9), message("--max-tokens 3"));
	t.is(faultOf({ pad: 3 }, 9), message("--pad 3"));
	t.is(faultOf({ pad: "bucket" }, 4), undefined);
	for (const long of LONG_TEXTS.slice(1)) t.is(faultOf({ pad: "bucket", maxTokens: 3, long }, 9), undefined);
});

test("the limit is the smallest of context, --max-tokens and --pad", (t) => {
	t.like(tokenLimit({ pad: 3, maxTokens: "context", long: "cut" }, 9), { tokens: 3, long: "cut" });
	t.like(tokenLimit({ pad: 3, maxTokens: 2 }, 9), { tokens: 2, long: "refuse" });
	t.like(tokenLimit({ pad: "longest" }, 9), { tokens: 9 });
});

test("a text that is cut is tokenized one token further than the limit; otherwise to its end", (t) => {
	const tokensOf = (long: (typeof LONG_TEXTS)[number]) =>
		tokenizeWithin([{ text: "a b c d e f" }], { tokens: 2, long }, gpt2)[0]?.length;
	t.is(tokensOf("cut"), 3);
	for (const long of ["refuse", "head-tail", "windows"] as const) t.is(tokensOf(long), 6);
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
