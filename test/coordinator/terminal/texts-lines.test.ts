import test from "ava";
import { textsLines } from "../../../coordinator/terminal/texts-lines.ts";
import { classTexts } from "../run-folder/class-texts.ts";

const cut = { train: 0, validation: 0, test: 0 };
const windows = cut;

test("one line says what was read, where it goes, what is not used or is repeated, and why", (t) => {
	const classes = [
		{ label: "fraud", read: 150, train: 105, validation: 15, test: 30, unused: 0, repeats: 0 },
		{ label: "ok", read: 2850, train: 105, validation: 285, test: 570, unused: 1890, repeats: 0 },
	];
	t.deepEqual(textsLines({ classes, cut, windows, maxTokens: 256 }), [
		'read 3,000 texts: fraud 150, ok 2,850; 210 for training, 300 for validation, 600 for the test; not used: ok 1,890 (--balance uses as many of each class as of "fraud")',
	]);
	const repeated = [{ ...classTexts("fraud", 150), repeats: 2700 }, classTexts("ok", 2850)];
	t.deepEqual(textsLines({ classes: repeated, cut, windows, maxTokens: 256 }), [
		"read 3,000 texts: fraud 150, ok 2,850; 2,996 for training, 2 for validation, 2 for the test; all are used; repeated in each epoch: fraud 2,700 (--balance oversample)",
	]);
});

test("many classes are named in part, and texts that were cut are counted", (t) => {
	const classes = Array.from({ length: 12 }, (_, i) => classTexts(i === 0 ? "long ".repeat(20) : `c${i}`, 50));
	t.deepEqual(textsLines({ classes, cut: { train: 3, validation: 1, test: 2 }, windows, maxTokens: 1024 }), [
		"read 600 texts: long long long long long long long long ... 50, c1 50, c2 50, c3 50, c4 50, c5 50, 300 of 6 more classes; 576 for training, 12 for validation, 12 for the test; all are used",
		"cut 6 of 600 texts to 1,024 tokens",
	]);
});

test("the windows of long texts are counted", (t) => {
	const classes = [classTexts("a", 50), classTexts("b", 50)];
	const lines = textsLines({ classes, cut, windows: { train: 1000, validation: 100, test: 200 }, maxTokens: 1024 });
	t.is(lines[1], "100 texts are read in 1,300 windows of at most 1,024 tokens");
});

test("if texts have several labels, the texts of each set are counted once", (t) => {
	const texts = { train: 70, validation: 10, test: 20 };
	const classes = [classTexts("money", 60), classTexts("sport", 70)];
	t.deepEqual(textsLines({ classes, texts, cut, windows, maxTokens: 256 }), [
		"read 100 texts: money 60, sport 70; 70 for training, 10 for validation, 20 for the test; all are used",
	]);
});
