import { describeLengths } from "../data/describe-lengths.ts";
import type { Thresholds } from "../metrics/choose-label.ts";
import { majorityLabels } from "../metrics/label-sets.ts";
import { nameLabels } from "../metrics/probabilities.ts";
import type { RunResult } from "../run-folder/result.ts";
import { softwareVersions } from "../software-versions.ts";
import type { TrainingState } from "./checkpoint.ts";
import type { Calibration, Evaluation } from "./evaluator.ts";
import type { RunContext } from "./run-context.ts";
import type { TrainingOutcome } from "./run-epochs.ts";
import type { RunTexts } from "./run-texts.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** The predictions for all texts with the final weights, and the baseline. */
export interface FinalEvaluation {
	readonly evaluation: Evaluation;
	/** Thresholds of the predictions. */
	readonly thresholds: Thresholds;
	/** Threshold of each label with the best F1 on validation. */
	readonly bestThresholds: readonly number[];
	/** Scores of the baseline; null: not computed. */
	readonly wordBaseline: RunResult["wordBaseline"];
	/** Undefined if texts have several labels. */
	readonly calibration: Calibration | undefined;
	/** Texts and tokens that the trunk computed by then. */
	readonly trunk: RunResult["trunk"];
}

/** Collects the result of a finished run. */
export function summarizeRun(
	run: RunContext,
	state: TrainingState,
	{ stopped, stepMs, audit }: TrainingOutcome,
	{ evaluation, thresholds, bestThresholds, wordBaseline, calibration, trunk }: FinalEvaluation,
	watch: Stopwatch,
): RunResult {
	return {
		finishedAt: new Date().toISOString(),
		...summarizeScores(run, evaluation),
		thresholds: run.texts.labels.map((_, label) => thresholds[label] ?? null),
		bestThresholds: [...bestThresholds],
		wordBaseline,
		...(calibration && { calibration }),
		...summarizeTexts(run.texts),
		trunk,
		audit,
		seconds: { ...watch.seconds, total: watch.total },
		textsPerSecond: state.progress.examplesSeen / watch.seconds.training,
		stepMs: medianOf(stepMs),
		refused: { ...run.cluster.refusals() },
		...(run.cluster.traffic && { traffic: run.cluster.traffic() }),
		peakRssBytes: process.resourceUsage().maxRSS * 1024,
		engine: summarizeEngines(run.cluster.dispatcher),
		kept: { ...keptOf(state), metric: run.config.metric },
		stopped,
		commandLine: process.argv.slice(2),
		versions: softwareVersions(),
	};
}

function summarizeScores({ texts, config }: RunContext, evaluation: Evaluation) {
	const scores = mapValues(setsOf(texts), (examples) => evaluation.score(examples));
	const { intervals, confusion, perClass } = evaluation.scoreInDetail(texts.test);
	const majority = majorityLabels(texts.test.map((example) => texts.labelsOf(example)));
	const labelName = (label: number) => texts.labels[label] ?? "";
	return {
		accuracy: mapValues(scores, ({ accuracy }) => accuracy),
		loss: mapValues(scores, ({ loss }) => loss),
		balancedAccuracy: mapValues(scores, ({ balancedAccuracy }) => balancedAccuracy),
		macroF1: mapValues(scores, ({ macroF1 }) => macroF1),
		mcc: mapValues(scores, ({ mcc }) => mcc),
		intervals,
		labels: [...texts.labels],
		tokenizer: texts.tokenizer.hash,
		confusion,
		perClass: perClass.map((score, label) => ({ label: labelName(label), ...score })),
		majorityBaseline: { label: nameLabels(texts.labels, majority.labels), accuracy: majority.accuracy },
		...(config.multiLabel && { multiLabel: { microF1: mapValues(scores, ({ microF1 = 0 }) => microF1) } }),
	};
}

function summarizeTexts(texts: RunTexts) {
	return {
		testTextsAlsoInTraining: texts.overlap,
		texts: { ...mapValues(setsOf(texts), ({ length }) => length), distinct: texts.distinct },
		classes: [...texts.classTexts],
		data: {
			files: texts.data.files.map((file) => ({ ...file })),
			equal: texts.data.equal,
			tokens: { ...describeLengths(texts.details.map(({ tokens }) => tokens)), limit: texts.maxTokens },
		},
		cut: texts.cut,
		windows: texts.windows,
	};
}

function summarizeEngines({ engines, workers }: RunContext["cluster"]["dispatcher"]): RunResult["engine"] {
	const infos = [...workers.values()];
	return {
		trunk: [...engines.trunk].join(", "),
		tail: [...engines.tail].join(", "),
		device: [...new Set(infos.map(({ device }) => device))].join(", "),
		threads: infos.reduce((sum, { threads }) => sum + threads, 0),
	};
}

function keptOf({ progress, best }: TrainingState): Omit<RunResult["kept"], "metric"> {
	if (best && progress.best) return { epoch: progress.best.epoch, step: progress.best.step, reason: "best" };
	return { epoch: progress.epoch, step: progress.step, reason: "last" };
}

function setsOf({ train, validation, test }: RunTexts) {
	return { train, validation, test };
}

function medianOf(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[sorted.length >> 1] ?? 0;
}

function mapValues<K extends string, V, R>(record: Record<K, V>, change: (value: V) => R): Record<K, R> {
	const entries = Object.entries<V>(record).map(([key, value]) => [key, change(value)]);
	return Object.fromEntries(entries) as Record<K, R>;
}
