import test from "ava";
import type { TrialResult } from "../../../coordinator/events/sweep-schema.ts";
import { resultScore } from "../../../coordinator/run-folder/result-scores.ts";
import { estimateSecondsLeft } from "../../../coordinator/sweep/estimate-seconds-left.ts";
import { bestTrial, rankSettings } from "../../../coordinator/sweep/rank-settings.ts";
import { sampleResult } from "../run-folder/sample-run.ts";

/** Makes a finished trial, or one that is waiting if it has no score. */
function trialOf(lr: number, score: number | null, seconds: number | null = null): TrialResult {
	const state = score === null ? "waiting" : "finished";
	return { folder: `${lr} ${score}`, values: { lr }, seed: 1, state, score, seconds };
}

const TRIALS = [
	...[trialOf(1, 0.7, 10), trialOf(2, 0.9, 20), trialOf(3, null), { ...trialOf(4, null), state: "failed" as const }],
	...[trialOf(1, 0.8, 12), trialOf(2, null), trialOf(3, null)],
	...[trialOf(1, 0.9, 14), trialOf(2, null), trialOf(3, null)],
];

test("settings are ranked by the mean of their validation scores, with the sample standard deviation", (t) => {
	const ranking = rankSettings(TRIALS, "accuracy");
	t.deepEqual(
		ranking.map(({ values, trials, validation }) => [values, trials, validation.deviation === null]),
		[
			[{ lr: 2 }, 1, true],
			[{ lr: 1 }, 3, false],
		],
	);
	const [, second] = ranking;
	// statistics.mean and statistics.stdev of Python.
	t.true(Math.abs((second?.validation.mean ?? 0) - 0.8) < 1e-12);
	t.true(Math.abs((second?.validation.deviation ?? 0) - 0.1) < 1e-12);
	t.is(second?.seconds, 12);
	t.deepEqual(
		rankSettings(TRIALS, "loss").map(({ values }) => values),
		[{ lr: 1 }, { lr: 2 }],
	);
	t.is(
		bestTrial(
			TRIALS.filter(({ state }) => state === "finished"),
			"loss",
		)?.folder,
		"1 0.7",
	);
});

test("the score of a run is the one of its validation set; an undefined MCC counts as 0", (t) => {
	const result = sampleResult();
	t.is(resultScore("accuracy", result, "validation"), 0.9733);
	t.is(resultScore("macro-f1", result, "validation"), 0.9731);
	t.is(resultScore("loss", result, "validation"), 0.0853);
	t.is(resultScore("mcc", result, "validation"), 0);
});

test("the time left counts trials by those of the same setting, or else by all", (t) => {
	// Finished: 10, 20, 12 and 14 s, 14 s on average. Left: two with lr 2, three with lr 3.
	t.is(estimateSecondsLeft(TRIALS), 2 * 20 + 3 * 14);
	t.is(estimateSecondsLeft([trialOf(1, null)]), null);
	t.is(estimateSecondsLeft([trialOf(1, 0.5, 3)]), 0);
});
