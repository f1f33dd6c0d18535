import test from "ava";
import type { Classification } from "../../../coordinator/events/schemas.ts";
import { classificationLines } from "../../../coordinator/terminal/classification-lines.ts";

const classified = (text: string, label: string, probability: number, truncated = false): Classification => ({
	text,
	source: "text 1",
	label,
	probability,
	probabilities: { [label]: probability },
	tokens: 256,
	truncated,
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

test("texts of which the model read only the beginning are counted", (t) => {
	const [, , last] = classificationLines([classified("a", "y", 1), classified("b", "y", 1, true)]);
	t.is(last, "cut 1 of 2 texts to 256 tokens");
});
