import type { SweepState, TrialResult } from "../../../coordinator/events/sweep-schema.ts";
import { rankSettings } from "../../../coordinator/sweep/rank-settings.ts";

const SCORES = [0.9, 0.8, 0.86, 0.84];

/** Makes the state of a finished sweep: two learning rates with two seeds. */
export function sampleSweep(): SweepState {
	const trials = SCORES.map((score, i): TrialResult => {
		const place = { folder: `trial-${i + 1}`, values: { lr: i % 2 === 0 ? 0.001 : 0.1 }, seed: 123 + (i >> 1) };
		return { ...place, state: "finished", score, seconds: 10 + i };
	});
	const spread = (mean: number, deviation: number) => ({ mean, deviation });
	return {
		startedAt: "2026-03-14T15:09:26.535Z",
		finishedAt: "2026-03-14T15:12:26.535Z",
		settings: { data: "/data/texts.tsv", epochs: 5 },
		varied: { lr: [0.001, 0.1] },
		samples: null,
		halving: null,
		experiments: null,
		seeds: [123, 124],
		folds: null,
		texts: "5d41402abc4b2a76b9719d911017c592",
		metric: "macro-f1",
		trials,
		ranking: rankSettings({ trials, halving: null }, "macro-f1"),
		best: {
			folder: "trial-1",
			test: { accuracy: spread(0.91, 0.02), macroF1: spread(0.9, 0.012), loss: spread(0.3, 0.01) },
		},
	};
}
