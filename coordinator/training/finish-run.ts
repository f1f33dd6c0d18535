import type { ModelFiles } from "../../shared/model/model-files.ts";
import { withThresholds } from "../classify/with-thresholds.ts";
import { neutralRule } from "../metrics/scoring.ts";
import { writeReport } from "../report/write-report.ts";
import { writePredictions } from "../run-folder/predictions.ts";
import type { RunResult } from "../run-folder/result.ts";
import { writeRunResult } from "../run-folder/result-files.ts";
import { removeCheckpoints } from "../run-folder/run-folder.ts";
import { writeTestDetails } from "../run-folder/test-details.ts";
import type { TrainingState } from "./checkpoint.ts";
import { describeTestSet } from "./describe-test-set.ts";
import { evaluateWordBaseline } from "./evaluate-word-baseline.ts";
import { type Evaluation, evaluate } from "./evaluator.ts";
import { exportModel } from "./export-model.ts";
import { listPredictions } from "./list-predictions.ts";
import type { RunContext } from "./run-context.ts";
import type { TrainingOutcome } from "./run-epochs.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { summarizeRun } from "./summarize-run.ts";

/** Evaluates the final weights on all texts, and writes the model, the predictions, the result and the report. */
export async function finishRun(
	run: RunContext,
	model: ModelFiles,
	state: TrainingState,
	outcome: TrainingOutcome,
	watch: Stopwatch,
): Promise<RunResult> {
	const parameters = state.best ?? state.parameters;
	const { step } = (state.best && state.progress.best) ?? state.progress;
	const { validation, test } = run.texts;
	const all = await watch.time("evaluation", () => evaluateAll(run, parameters, step));
	const calibration = run.config.multiLabel ? undefined : all.calibrate(validation, test);
	const { rule, bestThresholds } = chooseRule(run, all, calibration?.temperature ?? 1);
	const evaluation = all.withRule(rule);
	// Without the variants of texts that are computed next.
	const trunk = { ...run.cluster.dispatcher.trunk };
	const describe = () => describeTestSet(run, { version: step, state: { parameters } }, evaluation, rule);
	const details = await watch.time("evaluation", describe);
	const wordBaseline = run.config.multiLabel ? null : await watch.time("evaluation", () => evaluateWordBaseline(run));
	await exportModel(run, model, parameters, rule, bestThresholds);
	const { thresholds } = rule;
	const final = { evaluation, thresholds, bestThresholds, wordBaseline, calibration, trunk };
	const result = summarizeRun(run, state, outcome, final, watch);
	await writeTestDetails(run.folder, details);
	await writePredictions(run.folder, listPredictions(run.texts, evaluation));
	await writeRunResult(run.folder, result);
	await writeReport(run.folder);
	await removeCheckpoints(run.folder);
	return result;
}

/** Chooses the best thresholds on the validation set, and uses those that the settings ask for. */
function chooseRule({ config, texts }: RunContext, evaluation: Evaluation, temperature: number) {
	const calibrated = { ...neutralRule(config.multiLabel), temperature };
	const bestThresholds = evaluation.withRule(calibrated).chooseThresholds(texts.validation);
	const usual = config.multiLabel ? bestThresholds : [];
	const thresholds = withThresholds(usual, config.threshold, texts.labels, bestThresholds);
	return { rule: { ...calibrated, thresholds }, bestThresholds };
}

async function evaluateAll(run: RunContext, parameters: Float32Array, version: number): Promise<Evaluation> {
	const { train, validation, test } = run.texts;
	const examples = [...train, ...validation, ...test];
	const bar = run.events.phase("scores", examples.length, "texts");
	const evaluation = await evaluate(run, { version, state: { parameters } }, examples, (count) => bar.advance(count));
	bar.done();
	return evaluation;
}
