import test from "ava";
import { listTextsWarnings } from "../../../coordinator/training/texts-warnings.ts";

const of = (label: string, read: number, unused = 0, train = read - unused - 2) => ({
	label,
	read,
	train,
	validation: 1,
	test: read - unused - train - 1,
	unused,
});

test("warnings name a small class that limits all others, and labels that look alike", (t) => {
	const classes = [of("Ham", 700, 690), of("ham", 400, 390), of("tiny", 10)];
	t.deepEqual(listTextsWarnings(classes), [
		'class "tiny" has only 8 texts for training, so --balance trains on as few of each class; --balance false uses all',
		'labels "Ham" and "ham" look alike, but are different classes',
	]);
	t.deepEqual(listTextsWarnings([of("tiny", 5), of("a", 900)]), []);
});
