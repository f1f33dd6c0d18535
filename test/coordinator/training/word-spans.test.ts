import test from "ava";
import fc from "fast-check";
import { listWordSpans, removeSpan } from "../../../coordinator/training/word-spans.ts";

const words = (text: string, most = 30) => listWordSpans(text, most).map(({ start, end }) => text.slice(start, end));

test("a text is divided at white space, and neighbours are joined if there are too many words", (t) => {
	t.deepEqual(words("Win £1,000  now!\n"), ["Win", "£1,000", "now!"]);
	t.deepEqual(words("a b c d e", 2), ["a b c", "d e"]);
	t.deepEqual(words("a b c d e", 3), ["a b", "c d", "e"]);
	t.deepEqual(words(" \n"), []);
});

test("a language without spaces is divided into words", (t) => {
	const text = "機械学習は、コンピュータがデータから規則を学ぶ方法であり、多くの分野で使われている。";
	t.true(words(text).length > 8);
	t.is(words(text).join(""), text);
});

test("every text has at most the asked number of parts, in order, and they hold all of it but white space", (t) => {
	fc.assert(
		fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.integer({ min: 1, max: 30 }), (text, most) => {
			const spans = listWordSpans(text, most);
			t.true(spans.length <= most || words(text, 1e9).length === 0);
			let from = 0;
			let between = "";
			for (const { start, end } of spans) {
				t.true(start >= from && end > start);
				between += text.slice(from, start);
				from = end;
			}
			t.regex(between + text.slice(from), /^\s*$/u);
		}),
	);
});

test("a part is removed with the space before it, the first one with the space after it", (t) => {
	const [first, second, last] = listWordSpans("one two three", 30);
	t.is(first && removeSpan("one two three", first), "two three");
	t.is(second && removeSpan("one two three", second), "one three");
	t.is(last && removeSpan("one two three", last), "one two");
});
