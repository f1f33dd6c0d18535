import test from "ava";
import fc from "fast-check";
import { cutMessage, TailtuneError } from "../../shared/errors.ts";

test("a long message is cut in the middle: its beginning and its end, which says what to do, stay", (t) => {
	const { message } = new TailtuneError("model", `model.safetensors: found ${"1,".repeat(1e6)} expected [8]`);
	t.true(message.length < 1300, `${message.length}`);
	t.true(message.startsWith("model.safetensors: found 1,1,"));
	t.regex(message, /1[,1]* \[\.\.\. \d+ characters \.\.\.\] [,1]*, expected \[8\]$/);
	t.is(new TailtuneError("model", "short").message, "short");
});

test("no character is cut in two", (t) => {
	const text = fc.string({ unit: fc.constantFrom("a", "é", "👩", "🚀"), minLength: 600, maxLength: 2000 });
	fc.assert(fc.property(text, (message) => !/\p{Surrogate}/u.test(cutMessage(message))));
	t.pass();
});
