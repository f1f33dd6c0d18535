import test from "ava";
import { classificationLines } from "../../../coordinator/terminal/classification-lines.ts";

test("labels and probabilities stand in columns before the beginning of the text", (t) => {
	t.deepEqual(
		classificationLines([
			{ text: " You won a prize,\n call now ", label: "spam", probability: 0.998 },
			{ text: "a".repeat(61), label: "ham", probability: 1 },
		]),
		["spam   99.8 %  You won a prize, call now", `ham   100.0 %  ${"a".repeat(59)}…`],
	);
	t.deepEqual(classificationLines([]), []);
});

test("a text is cut between characters, and one with control characters stays on its line", (t) => {
	const [line] = classificationLines([{ text: `${"😀".repeat(70)}`, label: "x\u001b[31m", probability: 0 }]);
	t.is(line, `x\\x1b[31m    0.0 %  ${"😀".repeat(59)}…`);
	t.deepEqual(classificationLines([{ text: "a\u0000b", label: "y", probability: 0.5 }]), ["y   50.0 %  a\\x00b"]);
});
