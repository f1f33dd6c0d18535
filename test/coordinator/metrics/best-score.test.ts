import test from "ava";
import { defaultMetric, isBetterScore, METRIC_NAMES, type Metric } from "../../../coordinator/metrics/best-score.ts";

const score = { loss: 0.5, accuracy: 0.9, balancedAccuracy: 0.8, macroF1: 0.7, mcc: 0.6 };
const FIELDS = {
	accuracy: "accuracy",
	"balanced-accuracy": "balancedAccuracy",
	"macro-f1": "macroF1",
	mcc: "mcc",
	loss: "loss",
} as const;
const METRICS = Object.keys(METRIC_NAMES) as Metric[];

test("each metric compares its own score, and equal ones by the loss", (t) => {
	for (const metric of METRICS) {
		const field = FIELDS[metric];
		const better = metric === "loss" ? 0.4 : 0.95;
		t.true(isBetterScore(metric, score, { ...score, [field]: better }), `${metric}: better`);
		t.false(isBetterScore(metric, { ...score, [field]: better }, score), `${metric}: worse`);
		t.true(isBetterScore(metric, score, { ...score, loss: 0.49 }), `${metric}: equal, with a smaller loss`);
		t.false(isBetterScore(metric, score, score), `${metric}: equal`);
		t.true(isBetterScore(metric, undefined, score), `${metric}: the first`);
		const others = Object.values(FIELDS).filter((of) => of !== field && of !== "loss");
		for (const other of others) t.false(isBetterScore(metric, score, { ...score, [other]: 1 }), `${metric}: ${other}`);
	}
});

test("an MCC that isn't defined counts as 0", (t) => {
	t.true(isBetterScore("mcc", { ...score, mcc: -0.1 }, { ...score, mcc: null }));
	t.true(isBetterScore("mcc", { ...score, mcc: null }, { ...score, mcc: 0.1 }));
});

test("the default is macro F1 if a class has more than twice the texts of another one", (t) => {
	t.is(defaultMetric([10, 20]), "accuracy");
	t.is(defaultMetric([10, 21]), "macro-f1");
	t.is(defaultMetric([5, 0]), "macro-f1");
});
