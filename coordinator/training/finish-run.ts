import { roundTo } from "../../shared/exchange/wire-format.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { classScores, confusionMatrix, majorityBaseline } from "../metrics/classification.ts";
import { writeReport } from "../report/write-report.ts";
import type { RunResult } from "../run-folder/result.ts";
import { writeRunResult } from "../run-folder/result-files.ts";
import { removeCheckpoints } from "../run-folder/run-folder.ts";
import { softwareVersions } from "../software-versions.ts";
import type { TrainingState } from "./checkpoint.ts";
import { type Evaluation, evaluate } from "./evaluator.ts";
import { exportModel } from "./export-model.ts";
import type { RunContext } from "./run-context.ts";
import type { TrainingOutcome } from "./run-epochs.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** Evaluates the weights to keep on all texts, and writes the model, the result and the report. */
export async function finishRun(
	run: RunContext,
	model: ModelFiles,
	state: TrainingState,
	outcome: TrainingOutcome,
	watch: Stopwatch,
): Promise<RunResult> {
	const parameters = state.best ?? state.parameters;
	// What is saved is what was measured: the parameters as the workers got them.
	roundTo(run.config.wire, parameters, parameters);
	const published = padded(parameters, state.published.length);
	const { step } = (state.best && state.progress.best) ?? state.progress;
	const evaluation = await watch.time("evaluation", () => evaluateAll(run, published, step));
	await exportModel(run, model, parameters);
	const result = summarise(run, state, outcome, evaluation, watch);
	await writeRunResult(run.folder, result);
	await writeReport(run.folder);
	await removeCheckpoints(run.folder);
	return result;
}

/** With zeros for the moments where these travel: nobody reads them. */
function padded(parameters: Float32Array, length: number): Float32Array {
	if (parameters.length === length) return parameters;
	const vector = new Float32Array(length);
	vector.set(parameters);
	return vector;
}

async function evaluateAll(run: RunContext, published: Float32Array, version: number): Promise<Evaluation> {
	const { train, validation, test } = run.texts;
	const examples = [...train, ...validation, ...test];
	const bar = run.events.phase("evaluation", examples.length, "texts");
	const evaluation = await evaluate(run, { version, published }, examples, (count) => bar.advance(count));
	bar.done();
	return evaluation;
}

function summarise(
	run: RunContext,
	{ progress, best }: TrainingState,
	{ stopped, stepMs, audit }: TrainingOutcome,
	evaluation: Evaluation,
	watch: Stopwatch,
): RunResult {
	const { texts, dispatcher } = run;
	const { engines } = dispatcher;
	const workers = [...dispatcher.workers.values()];
	const sets = { train: texts.train, validation: texts.validation, test: texts.test };
	const scores = mapValues(sets, (examples) => evaluation.score(examples));
	const labelsOf = (examples: readonly number[]) => examples.map((example) => texts.labelOf(example));
	const confusion = confusionMatrix(labelsOf(texts.test), evaluation.predictions(texts.test), texts.classes);
	const majority = majorityBaseline(labelsOf(texts.test), texts.classes);
	const labelName = (label: number) => texts.labels[label] ?? "";
	const kept =
		best && progress.best ? { ...progress.best, reason: "best" as const } : { ...progress, reason: "last" as const };
	return {
		finishedAt: new Date().toISOString(),
		accuracy: mapValues(scores, ({ accuracy }) => accuracy),
		loss: mapValues(scores, ({ loss }) => loss),
		labels: [...texts.labels],
		confusion,
		perClass: classScores(confusion).map((score, label) => ({ label: labelName(label), ...score })),
		majorityBaseline: { label: labelName(majority.label), accuracy: majority.accuracy },
		testTextsAlsoInTraining: texts.overlap,
		texts: { ...mapValues(sets, ({ length }) => length), distinct: texts.distinct },
		classes: [...texts.classTexts],
		cut: texts.cut,
		trunk: { ...dispatcher.trunk },
		audit,
		seconds: { ...watch.seconds, total: watch.total },
		textsPerSecond: progress.examplesSeen / watch.seconds.training,
		stepMs: medianOf(stepMs),
		refused: { ...run.refusals() },
		peakRssBytes: process.resourceUsage().maxRSS * 1024,
		engine: {
			trunk: [...engines.trunk].join(", "),
			tail: [...engines.tail].join(", "),
			device: [...new Set(workers.map(({ device }) => device))].join(", "),
			threads: workers.reduce((sum, { threads }) => sum + threads, 0),
		},
		kept: { epoch: kept.epoch, step: kept.step, reason: kept.reason },
		stopped,
		commandLine: process.argv.slice(2),
		versions: softwareVersions(),
	};
}

function medianOf(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[sorted.length >> 1] ?? 0;
}

function mapValues<K extends string, V, R>(record: Record<K, V>, change: (value: V) => R): Record<K, R> {
	const entries = Object.entries<V>(record).map(([key, value]) => [key, change(value)]);
	return Object.fromEntries(entries) as Record<K, R>;
}
