import test from "ava";
import { matchHeadRows } from "../../../coordinator/base-model/own-head.ts";
import type { StoredTensor } from "../../../shared/model/model-files.ts";

/** Matches a head with class names to data with labels; returns the rows and the printed lines. */
function decide(names: readonly string[] | undefined, labels: readonly string[], classes = names?.length ?? 2) {
	const head: StoredTensor = { file: "", type: "F32", shape: [classes, 8], offset: 0, byteLength: 0 };
	const lines: string[] = [];
	const rows = matchHeadRows({ labels: names, tensors: new Map([["score.weight", head]]) }, labels, {
		line: (text) => lines.push(text),
	});
	return { rows, lines };
}

test("keeps a head with the same labels as the data, each row for the label of its name", (t) => {
	const { rows, lines } = decide(["spam", "ham", "news"], ["ham", "news", "spam"]);
	t.deepEqual(rows, [1, 2, 0]);
	t.deepEqual(lines, ["the model's head has the same labels as the data: training continues from it"]);
});

test("matches names in the form of the data's labels: composed, without white space around, numbers without zeros", (t) => {
	t.deepEqual(decide([" 2.0", "cafe\u0301 "], ["2", "caf\u00e9"]).rows, [0, 1]);
});

test("starts with a new head if a name differs, is missing or is added, and prints this", (t) => {
	for (const names of [["ham", "Spam"], ["ham", "spam", "news"], ["ham"]]) {
		const { rows, lines } = decide(names, ["ham", "spam"]);
		t.is(rows, undefined);
		t.is(lines.length, 1);
		t.regex(
			lines[0] ?? "",
			/^the model's head has the labels "ham".*, not those of the data: training starts with a new head$/,
		);
	}
});

test("starts with a new head if the model's head has no names, or transformers' placeholders, even for one class", (t) => {
	for (const names of [undefined, ["LABEL_0", "LABEL_1"], ["LABEL_0", "spam"]]) {
		const { rows, lines } = decide(names, names ?? ["a", "b"]);
		t.is(rows, undefined);
		t.deepEqual(lines, [
			"the model's head has 2 labels without names, not those of the data: training starts with a new head",
		]);
	}
});

test("prints nothing for a model without a head", (t) => {
	const lines: string[] = [];
	t.is(matchHeadRows({ tensors: new Map() }, ["a", "b"], { line: (text) => lines.push(text) }), undefined);
	t.deepEqual(lines, []);
});
