import test from "ava";
import type { Classification } from "../../../coordinator/events/schemas.ts";
import { classificationLines, classifiedLines } from "../../../coordinator/terminal/classification-lines.ts";

const classified = (text: string, label: string, probability: number): Classification => ({
	text,
	source: "text 1",
	label,
	labels: [label],
	probability,
	probabilities: { [label]: probability },
	tokens: 256,
	truncated: false,
});

test("labels and probabilities stand in columns before the beginning of the text", (t) => {
	t.deepEqual(
		classificationLines([
			classified(" You won a prize,\n call now ", "spam", 0.998),
			classified("a".repeat(61), "ham", 1),
		]),
		["spam   99.8 %  You won a prize, call now", `ham   100.0 %  ${"a".repeat(59)}…`],
	);
	t.deepEqual(classificationLines([]), []);
});

test("a text is cut between characters, and one with control characters stays on its line", (t) => {
	const [line] = classificationLines([classified("😀".repeat(70), "x\u001b[31m", 0)]);
	t.is(line, `x\\x1b[31m    0.0 %  ${"😀".repeat(59)}…`);
	t.deepEqual(classificationLines([classified("a\u0000b", "y", 0.5)]), ["y   50.0 %  a\\x00b"]);
});

test("the end names the file, the texts that were cut, and the rows that could not be classified", (t) => {
	const summary = { out: "a.csv", rows: 2000, cut: 1, maxTokens: 256, unlabelled: 0, bad: 0, errors: [] };
	t.deepEqual(classifiedLines(summary), ["wrote a.csv: 2,000 rows", "cut 1 of 2,000 texts to 256 tokens"]);
	t.deepEqual(classifiedLines({ ...summary, out: null, cut: 0 }), []);
	t.deepEqual(classifiedLines({ ...summary, out: null, cut: 0, unlabelled: 12 }), ["12 of 2,000 got no label"]);
	const errors = ["b.csv:3: the text is empty", "b.csv:9: the text is empty"];
	t.deepEqual(classifiedLines({ ...summary, cut: 0, bad: 1002, errors }), [
		"wrote a.csv: 2,000 rows",
		"1,002 rows could not be classified; their predictions are blank:",
		"  b.csv:3: the text is empty",
		"  b.csv:9: the text is empty",
		"  and 1,000 more",
	]);
});

test("a text that could not be classified has no label and no probability", (t) => {
	const none = { ...classified("", "", 0), label: null, probability: null, probabilities: {}, error: "f:1: empty" };
	t.deepEqual(classificationLines([none, classified("a", "ham", 1)]), ["–          –  ", "ham  100.0 %  a"]);
});
