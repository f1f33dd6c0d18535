import test from "ava";
import { fitLogisticRegression, logitsOf } from "../../../coordinator/baseline/logistic-regression.ts";
import { TfIdf } from "../../../coordinator/baseline/tf-idf.ts";
import { computeWordBaseline } from "../../../coordinator/baseline/word-baseline.ts";
import { toProbabilities } from "../../../coordinator/metrics/probabilities.ts";
import { TailtuneError } from "../../../shared/errors.ts";

const TEXTS = [
	"Win a free prize now, now!",
	"free entry: win cash",
	"call me at 5pm",
	"Are we meeting at the café?",
	"URGENT prize: call 0800 now",
	"see you at the meeting",
	"the café is free at noon",
	"cash now for you_all",
	"is the meeting at noon",
	"call for a free café prize",
	"x y z",
	"Größe und Äpfel 42",
];
const TWO = [1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0];
const THREE = [1, 1, 0, 2, 1, 2, 2, 1, 2, 0, 0, 0];
const NEW = ["free prize at the meeting", "noon café", "unknown words only", "Äpfel now"];
const onTurn = () => {};

/** Probabilities of NEW by TfidfVectorizer and LogisticRegression(tol=1e-12) of scikit-learn 1.9.1. */
const BY_TWO = [
	[0.6349, 0.3651],
	[0.659354, 0.340646],
	[0.610524, 0.389476],
	[0.548992, 0.451008],
];
const BY_THREE = [
	[0.276276, 0.252438, 0.471286],
	[0.346913, 0.225219, 0.427868],
	[0.407188, 0.313815, 0.278997],
	[0.367237, 0.420211, 0.212552],
];

test("words are weighted as by scikit-learn's TfidfVectorizer; words of one character are left out", async (t) => {
	const tfIdf = await TfIdf.fit(TEXTS, 1000);
	const { values, features, starts } = await tfIdf.transform([TEXTS[0] ?? "", "x y z"]);
	t.is(features, 27);
	t.deepEqual([...starts], [0, 4, 4]);
	t.deepEqual(
		[...values].sort().map((value) => Number(value.toFixed(6))),
		[0.337159, 0.375633, 0.425233, 0.751266],
	);
	t.is((await (await TfIdf.fit(TEXTS, 5)).transform(TEXTS)).features, 5);
});

for (const [labels, expected] of [
	[TWO, BY_TWO],
	[THREE, BY_THREE],
] as const) {
	test(`probabilities of ${expected[0]?.length} classes are those of scikit-learn's LogisticRegression`, async (t) => {
		const tfIdf = await TfIdf.fit(TEXTS, 1000);
		const classes = Math.max(...labels) + 1;
		const limits = { tolerance: 1e-5, evaluations: 150, onTurn };
		const model = await fitLogisticRegression(await tfIdf.transform(TEXTS), labels, classes, limits);
		const logits = logitsOf(model, await tfIdf.transform(NEW));
		for (const [text, row] of expected.entries()) {
			const found = toProbabilities(logits.slice(text * classes, (text + 1) * classes), 1);
			for (const [label, value] of row.entries())
				t.true(Math.abs((found[label] ?? 0) - value) < 1e-3, `text ${text}, class ${label}: ${found[label]}`);
		}
	});
}

test("the baseline is scored on the test texts, can be stopped, and is left out if it would take too long", async (t) => {
	const train = { texts: TEXTS, labels: TWO };
	const score = await computeWordBaseline(train, { texts: TEXTS.slice(0, 3), labels: [1, 1, 1] }, 2, onTurn);
	t.like(score, { accuracy: 2 / 3, words: 27 });
	const huge = Array<string>(70).fill("word ".repeat(200_000));
	t.is(
		await computeWordBaseline({ texts: huge, labels: huge.map(() => 0) }, train, 2, onTurn),
		"the texts have 70000251 characters, more than 60000000",
	);
	const stop = () => {
		throw new TailtuneError("interrupted", "stopped");
	};
	await t.throwsAsync(computeWordBaseline(train, train, 2, stop), { code: "interrupted" });
});
