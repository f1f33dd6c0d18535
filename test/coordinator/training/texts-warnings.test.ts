import test from "ava";
import { listTextsWarnings } from "../../../coordinator/training/texts-warnings.ts";
import { classTexts } from "../run-folder/class-texts.ts";

test("warnings name a small class that limits all others, and labels that look alike", (t) => {
	const classes = [classTexts("Ham", 700, 690), classTexts("ham", 400, 390), classTexts("tiny", 10)];
	t.deepEqual(listTextsWarnings(classes), [
		'class "tiny" has only 8 texts for training, so --balance trains on as few of each class; --balance none uses all',
		'labels "Ham" and "ham" look alike, but are different classes',
	]);
	t.deepEqual(listTextsWarnings([classTexts("tiny", 5), classTexts("a", 900)]), []);
});

test("a warning names a label that seems to be several with commas between", (t) => {
	const classes = ["billing,legal", "legal", "urgent"].map((label) => classTexts(label, 40));
	t.deepEqual(listTextsWarnings(classes), [
		'label "billing,legal" seems to be several; --multi-label expects | between them',
	]);
	t.deepEqual(listTextsWarnings(["refunds, fees", "legal"].map((label) => classTexts(label, 40))), []);
});
