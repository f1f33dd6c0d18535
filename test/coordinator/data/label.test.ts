import test from "ava";
import { normalizeLabel, similarLabels } from "../../../coordinator/data/label.ts";

test("white space within a label, and marks that belong to its last character, stay", (t) => {
	for (const label of ["not spam", "a\u00a0b", "❤\ufe0f", "🏴\u{e0067}\u{e0062}\u{e007f}", "1.0.0", "v1.0", "01"])
		t.is(normalizeLabel(` ${label} `), label);
});

test("labels that differ only in case, white space or invisible characters are found, others aren't", (t) => {
	t.deepEqual(similarLabels(["Ham", "ham", "not spam", "not\u00a0spam", "spam", "C", "C++"]), [
		["Ham", "ham"],
		["not spam", "not\u00a0spam"],
	]);
	t.deepEqual(similarLabels(["1", "2"]), []);
});
