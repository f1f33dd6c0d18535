import test from "ava";
import { evaluationLines } from "../../../coordinator/terminal/evaluation-lines.ts";
import { scoresOf } from "../run-folder/sample-run.ts";

const confusion = [
	[3, 0],
	[2, 0],
];
const evaluation = {
	texts: 5,
	cut: 2,
	maxTokens: 1024,
	majorityBaseline: { label: "ham", accuracy: 0.6 },
	labels: ["ham", "sp\u001bam"],
	...scoresOf(confusion),
	loss: 0.5,
};
const plain = (_: string, text: string) => text;

test("an evaluation shows accuracy, baseline, how many texts were cut, one line per class and the confusion, with a dash for 0 / 0", (t) => {
	const [first, others, baseline, cut, ...tables] = evaluationLines(evaluation, plain);
	t.is(first, "accuracy 60.0 % (23.1–88.2 %) of 5 texts, loss 0.500");
	t.regex(others ?? "", /^macro F1 37\.5 % \(.* %\), balanced accuracy 50\.0 % \(.* %\), MCC – \(–\)$/);
	t.is(baseline, 'always predicting "ham" would reach 60.0 % on these texts');
	t.is(cut, "cut 2 of 5 texts to 1,024 tokens");
	const rows = tables.filter((line) => line.startsWith("│")).map((line) => line.replaceAll(/ +/g, " "));
	t.deepEqual(rows, [
		"│ class │ precision │ recall │ F1 │ texts │",
		"│ ham │ 60.0 % (23.1–88.2 %) │ 100.0 % (43.9–100.0 %) │ 75.0 % │ 3 │",
		"│ sp\\x1bam │ – │ 0.0 % (0.0–65.8 %) │ 0.0 % │ 2 │",
		"│ true \\ predicted │ ham │ sp\\x1bam │",
		"│ ham │ 3 │ 0 │",
		"│ sp\\x1bam │ 2 │ 0 │",
	]);
});

test("of many classes there is no confusion matrix", (t) => {
	const labels = Array.from({ length: 7 }, (_, i) => `class ${i}`);
	const many = labels.map((_, row) => labels.map((_, column) => (row === column ? 1 : 0)));
	const text = evaluationLines({ ...evaluation, labels, ...scoresOf(many) }, plain).join();
	t.true(text.includes("class 6") && !text.includes("predicted"));
});
