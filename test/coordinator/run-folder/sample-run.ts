import { type DetailedScores, scoreInDetail } from "../../../coordinator/metrics/set-scores.ts";
import type { MetricsLine, RunResult } from "../../../coordinator/run-folder/result.ts";

/** Makes the metrics of a run with curves like those of real runs. */
export function sampleMetrics(epochs = 5, stepsPerEpoch = 130): MetricsLine[] {
	const lines: MetricsLine[] = [];
	for (let step = 1; step <= epochs * stepsPerEpoch; step++) {
		const atEnd = step % stepsPerEpoch === 0;
		if (step % 50 === 0 && !atEnd) lines.push(sampleLine("step", step, stepsPerEpoch));
		if (atEnd) lines.push(sampleLine("epoch", step, stepsPerEpoch));
	}
	return lines;
}

/** Makes an evaluation; evaluations in mid-epoch vary. */
export function sampleLine(kind: MetricsLine["kind"], step: number, stepsPerEpoch = 130): MetricsLine {
	const wobble = kind === "step" ? 0.25 * Math.sin(step * 1.7) : 0;
	const train = 0.03 + 0.75 * Math.exp(-step / 110);
	const validation = 0.08 + 0.72 * Math.exp(-step / 120);
	return {
		kind,
		step,
		epoch: Math.floor(step / stepsPerEpoch),
		examplesSeen: step * 8,
		seconds: step * 0.06,
		learningRate: 5e-5,
		train: sampleScore(train * (1 + wobble), 0.99 - 0.45 * Math.exp(-step / 60) * (1 + wobble)),
		validation: sampleScore(validation * (1 - wobble), 0.97 - 0.44 * Math.exp(-step / 60) * (1 - wobble)),
	};
}

function sampleScore(loss: number, accuracy: number): MetricsLine["train"] {
	return { loss, accuracy, balancedAccuracy: accuracy, macroF1: accuracy - 0.01, mcc: 2 * accuracy - 1 };
}

/** Returns all scores of predictions with this confusion matrix. */
export function scoresOf(confusion: readonly (readonly number[])[]): DetailedScores {
	const texts = confusion.flatMap((row, label) => row.flatMap((count, to) => Array(count).fill({ label, to })));
	const logits = texts.flatMap(({ to }) => confusion.map((_, label) => (label === to ? 2 : 0)));
	return scoreInDetail(
		logits,
		texts.map(({ label }) => label),
		confusion.length,
	);
}

/** Makes a result with one class per label. */
export function sampleResult(labels: readonly string[] = ["ham", "spam"]): RunResult {
	const confusion = labels.map((_, row) => labels.map((_, column) => (row === column ? 145 : (row * 3 + column) % 5)));
	const all = confusion.flat().reduce((a, b) => a + b, 0);
	const { accuracy, balancedAccuracy, macroF1, mcc, intervals, perClass } = scoresOf(confusion);
	return {
		finishedAt: "2026-03-14T15:09:26.535Z",
		accuracy: { train: 0.9952, validation: 0.9733, test: accuracy },
		loss: { train: 0.0214, validation: 0.0853, test: 0.0977 },
		balancedAccuracy: { train: 0.9952, validation: 0.9733, test: balancedAccuracy },
		macroF1: { train: 0.9952, validation: 0.9731, test: macroF1 },
		mcc: { train: 0.9904, validation: null, test: mcc },
		intervals,
		labels: [...labels],
		confusion,
		perClass: perClass.map((score, i) => ({ label: labels[i] ?? "", ...score })),
		tokenizer: "a".repeat(64),
		majorityBaseline: { label: labels[0] ?? "", accuracy: 145 / all },
		wordBaseline: { loss: 0.12, accuracy: 0.96, balancedAccuracy: 0.95, macroF1: 0.94, mcc: 0.91, words: 4321 },
		calibration: {
			temperature: 1.234,
			errorBefore: 0.045,
			error: 0.021,
			bins: Array.from({ length: 15 }, (_, i) =>
				i < 14
					? { texts: 0, confidence: null, accuracy: null }
					: { texts: all, confidence: 0.985, accuracy: (145 * labels.length) / all },
			),
		},
		thresholds: labels.map(() => null),
		bestThresholds: labels.map(() => 0.4321),
		testTextsAlsoInTraining: 12,
		texts: { train: 1045, validation: 149, test: all, distinct: 1377 },
		classes: labels.map((label, i) => ({
			label,
			read: 747,
			train: 500,
			validation: 75,
			test: 149,
			unused: i === 0 ? 23 : 0,
			repeats: 0,
		})),
		data: {
			files: [{ file: "/data/sms.tsv", format: "TSV, UTF-8", texts: 1494 }],
			equal: 24,
			tokens: { median: 21, p95: 47, longest: 120, limit: 120 },
		},
		cut: { train: 3, validation: 0, test: 1 },
		windows: { train: 1045, validation: 149, test: all },
		trunk: { texts: 1377, tokens: 40312 },
		audit: {
			steps: 650,
			parts: 1300,
			examples: 5200,
			workers: { "vm-1": 900, "vm-2": 400 },
			ignored: { double: 1, stale: 2, stray: 0 },
		},
		seconds: { load: 1.84, features: 61.2, training: 38.4, evaluation: 7.9, total: 109.9 },
		textsPerSecond: 135.4,
		stepMs: 57.3,
		refused: {},
		peakRssBytes: 1_342_177_280,
		engine: { trunk: "onnx cpu", tail: "tfjs wasm", device: "2 cores", threads: 2 },
		kept: { epoch: 4, step: 520, reason: "best", metric: "macro-f1" },
		stopped: "finished",
		commandLine: ["train", "--data", "sms-spam", "--lr", "0.001"],
		versions: { tailtune: "0.1.0", node: "20.20.2", "onnxruntime-node": "1.30.0", "@tensorflow/tfjs": "4.22.0" },
	};
}
