import { formatCorrelation, formatLoss, formatPercent } from "../format.ts";
import { compareScores, METRIC_NAMES, type Metric } from "../metrics/best-score.ts";
import type { SetScores } from "../metrics/set-scores.ts";
import type { RunResult } from "../run-folder/result.ts";

/** Describes the baseline on words in sentences; the second one only if it is better than the tuned model. */
export function describeWordBaseline(result: RunResult): string[] {
	const { wordBaseline, kept } = result;
	if (!wordBaseline) return [];
	const { accuracy, macroF1 } = wordBaseline;
	const reached = `accuracy ${formatPercent(accuracy)}, macro F1 ${formatPercent(macroF1)}`;
	const first = `a logistic regression on words (TF-IDF) reaches ${reached} on the test texts`;
	const own = testScores(result);
	if (compareScores(kept.metric, wordBaseline, own) <= 0) return [first];
	const values = `${formatMetric(kept.metric, wordBaseline)}, not ${formatMetric(kept.metric, own)}`;
	return [first, `that is better than the tuned model: ${METRIC_NAMES[kept.metric]} ${values}`];
}

function testScores({ accuracy, balancedAccuracy, macroF1, mcc, loss }: RunResult): SetScores {
	return {
		accuracy: accuracy.test,
		balancedAccuracy: balancedAccuracy.test,
		macroF1: macroF1.test,
		mcc: mcc.test,
		loss: loss.test,
	};
}

function formatMetric(metric: Metric, score: SetScores): string {
	switch (metric) {
		case "accuracy":
			return formatPercent(score.accuracy);
		case "balanced-accuracy":
			return formatPercent(score.balancedAccuracy);
		case "macro-f1":
			return formatPercent(score.macroF1);
		case "mcc":
			return formatCorrelation(score.mcc);
		case "loss":
			return formatLoss(score.loss);
	}
}
