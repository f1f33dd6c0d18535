import test from "ava";
import type { SweepState, TrialResult } from "../../../coordinator/events/sweep-schema.ts";
import { resultScore } from "../../../coordinator/run-folder/result-scores.ts";
import { estimateSecondsLeft } from "../../../coordinator/sweep/estimate-seconds-left.ts";
import { planRungs } from "../../../coordinator/sweep/plan-rungs.ts";
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
	const ranking = rankSettings({ trials: TRIALS, halving: null }, "accuracy");
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
		rankSettings({ trials: TRIALS, halving: null }, "loss").map(({ values }) => values),
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

const progress = (trials: readonly TrialResult[], settings = {}, halving: SweepState["halving"] = null) => ({
	trials: [...trials],
	settings,
	halving,
});

test("the time left counts trials by those of the same setting, or else by all", (t) => {
	// Finished: 10, 20, 12 and 14 s, 14 s on average. Left: two with lr 2, three with lr 3.
	t.is(estimateSecondsLeft(progress(TRIALS), 1), 2 * 20 + 3 * 14);
	t.is(estimateSecondsLeft(progress(TRIALS), 2), (2 * 20 + 3 * 14) / 2);
	t.is(estimateSecondsLeft(progress(TRIALS), 8), (2 * 20 + 3 * 14) / 5, "no more run at once than are left");
	t.is(estimateSecondsLeft(progress([trialOf(1, null)]), 1), null);
	t.is(estimateSecondsLeft(progress([trialOf(1, 0.5, 3)]), 1), 0);
});

test("the time left leaves out the preparation of the first trial, unless features are not kept", (t) => {
	const first = { ...trialOf(1, 0.5, 40), preparation: 30 };
	const second = { ...trialOf(2, 0.5, 14), preparation: 2 };
	const waiting = [trialOf(3, null), trialOf(3, null)];
	t.is(estimateSecondsLeft(progress([first, ...waiting]), 1), 2 * 10);
	t.is(estimateSecondsLeft(progress([first, second, ...waiting]), 1), 2 * (2 + 11));
	t.is(estimateSecondsLeft(progress([first, ...waiting], { featureCache: 0 }), 1), 2 * 40);
});

const HALVING = {
	factor: 2,
	rungs: [
		{ epochs: 1, settings: 4 },
		{ epochs: 2, settings: 2 },
		{ epochs: 5, settings: 1 },
	],
};

test("the time left of successive halving is that of the epochs that will be trained", (t) => {
	const paused = { ...trialOf(1, 0.5, 10), preparation: 6, epochs: 1, rung: 1, state: "paused" as const };
	const waiting = [trialOf(2, null), trialOf(3, null), trialOf(4, null)].map((trial) => ({ ...trial, rung: 1 }));
	// 4 s per epoch: three trials for one epoch, two for another one, one for three more.
	t.is(estimateSecondsLeft(progress([paused, ...waiting], {}, HALVING), 1), 4 * (3 + 2 + 3));
	const finished = { ...paused, seconds: 26, epochs: 5, rung: 3, state: "finished" as const };
	const stopped = [paused, { ...paused, epochs: 2, seconds: 14 }, paused];
	t.is(estimateSecondsLeft(progress([finished, ...stopped], {}, HALVING), 1), 0);
});

test("trials of successive halving that failed or ended early leave the next rungs to the others", (t) => {
	const left = (...trials: TrialResult[]) => estimateSecondsLeft(progress(trials, {}, HALVING), 1);
	const waiting = { ...trialOf(1, null), rung: 1 };
	const failed = { ...waiting, state: "failed" as const };
	const paused = { ...trialOf(1, 0.5, 4), epochs: 1, rung: 1, state: "paused" as const };
	const early = { ...trialOf(1, 0.5, 20), epochs: 5, rung: 1 };
	const moved = { ...paused, rung: 2 };
	const stopped = { ...paused, state: "stopped" as const };
	// 4 s per epoch: two trials for one epoch, two for another one, one for three more.
	t.is(left(paused, failed, waiting, waiting), 4 * (2 + 2 + 3));
	t.is(left(paused, early, waiting, waiting), 4 * (2 + 2 + 3));
	t.is(left(moved, failed, moved, stopped), 4 * (2 + 3));
	t.is(left(moved, { ...moved, state: "failed" }, failed, stopped), 4 * (1 + 3));
	t.is(left(moved, { ...early, rung: 2 }, failed, stopped), 4 * (1 + 3));
	t.is(left(paused, failed, failed, failed), 4 * (1 + 3));
});

test("with successive halving, settings that were trained longer are ranked first", (t) => {
	const trials = [
		{ ...trialOf(1, 0.99), rung: 1 },
		{ ...trialOf(2, 0.7), rung: 3 },
		{ ...trialOf(3, 0.8), rung: 2 },
		{ ...trialOf(4, 0.9), rung: 2 },
	];
	t.deepEqual(
		rankSettings({ trials, halving: HALVING }, "accuracy").map(({ values, epochs }) => [values.lr, epochs]),
		[
			[2, 5],
			[4, 2],
			[3, 2],
			[1, 1],
		],
	);
});

test("rungs divide the epochs and the settings by the factor, as long as there is more than one setting", (t) => {
	const rungs = (...of: Parameters<typeof planRungs>) =>
		planRungs(...of).map(({ epochs, settings }) => [epochs, settings]);
	t.deepEqual(rungs(2, 5, 4), [
		[1, 4],
		[2, 2],
		[5, 1],
	]);
	t.deepEqual(rungs(3, 27, 10), [
		[1, 10],
		[3, 4],
		[9, 2],
		[27, 1],
	]);
	t.deepEqual(rungs(2, 3, 100), [
		[1, 100],
		[3, 50],
	]);
	const message = "--halving: needs at least 3 epochs and 2 settings; found 2 and 9";
	t.throws(() => planRungs(3, 2, 9), { message, code: "usage" } as object);
});
