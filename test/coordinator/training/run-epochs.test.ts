import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Classifier } from "../../../coordinator/classify/classifier.ts";
import type { OpenCluster } from "../../../coordinator/cluster/cluster.ts";
import type { Answers } from "../../../coordinator/cluster/dispatcher.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import type { DetailedEvent } from "../../../coordinator/events/detailed-events.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { readPredictions } from "../../../coordinator/run-folder/predictions.ts";
import type { MetricsLine } from "../../../coordinator/run-folder/result.ts";
import { readMetrics } from "../../../coordinator/run-folder/result-files.ts";
import { readRunConfig } from "../../../coordinator/run-folder/run-folder.ts";
import { resume, train } from "../../../coordinator/training/train.ts";
import type { TrainOptions } from "../../../coordinator/training/train-options.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { writeTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";

const workerSide = { startWorker, inspectEngines: async () => [], addWorkerCommand: () => {} };

/** Called for each answer of an evaluation. @param evaluation number of the evaluation, from 0 */
type OnEvaluated = (evaluation: number) => void;

function environment(interrupt: AbortSignal, onEvaluated: OnEvaluated = () => {}): TrainOptions {
	const openCluster: TrainOptions["openCluster"] = async (run) => {
		const cluster = await openEmbeddedCluster(workerSide, run);
		const { dispatcher } = cluster;
		const execute = dispatcher.execute.bind(dispatcher);
		let evaluations = 0;
		const follow = async function* (answers: Answers, onAnswer: () => void) {
			for await (const answer of answers) {
				onAnswer();
				yield answer;
			}
		};
		dispatcher.execute = (items) => {
			const evaluation = items[0]?.kind === "WORK_KIND_EVALUATE" ? evaluations++ : undefined;
			const answers = execute(items);
			const onAnswer = () => evaluation !== undefined && onEvaluated(evaluation);
			return Object.assign(follow(answers, onAnswer), { published: answers.published });
		};
		return cluster;
	};
	return { openCluster, events: new RunEvents(), interrupt };
}

async function settings() {
	const out = join(await newFolder(), "run");
	const data = await writeTexts(120);
	return { out, data, model: "demo", epochs: 2, lr: 1e-3, threads: 1, featureCache: 0, evalEvery: 10 };
}

async function outcome(folder: string): Promise<[weights: string, metrics: object[]]> {
	const weights = await readFile(join(folder, "model", "model.safetensors"));
	const metrics = (await readMetrics(folder)).map(({ seconds: _, ...line }) => line);
	return [createHash("sha256").update(weights).digest("hex"), metrics];
}

const undisturbed = (async () => {
	const of = await settings();
	await train(await resolveConfig(of), environment(new AbortController().signal));
	return outcome(of.out);
})();

// With 21 steps per epoch: before steps 0, 10 and 20, after 21, before 30 and 40, after 42, and of the final weights.
for (const [what, stopped] of [
	["before the first step", 0],
	["in mid-epoch", 1],
	["at the end of an epoch", 3],
	["at the end of the run", 7],
] as const) {
	test(`a run stopped during an evaluation ${what} ends at once, and resumes to the same weights and metrics`, async (t) => {
		const interrupt = new AbortController();
		const of = await settings();
		let counted = 0;
		const stopping = environment(interrupt.signal, (evaluation) => {
			if (evaluation !== stopped) return;
			counted++;
			interrupt.abort();
		});
		await t.throwsAsync(train(await resolveConfig(of), stopping), { code: "interrupted" });
		t.is(counted, 1);
		t.true(existsSync(join(of.out, "checkpoint.safetensors")));
		await resume(of.out, environment(new AbortController().signal));
		t.deepEqual(await outcome(of.out), await undisturbed);
	});
}

test("details are emitted to those who want them: the settings, the loss of each step, and the work of each worker", async (t) => {
	const of = { ...(await settings()), data: await writeTexts(20), batch: 28, epochs: 3 };
	const options = environment(new AbortController().signal);
	const details: DetailedEvent[] = [];
	options.events.listenForDetails((event) => details.push(event));
	const { folder, result } = await train(await resolveConfig(of), options);
	t.like(details[0], { event: "run-started", folder, metrics: [], config: { model: "demo", lr: 1e-3 } });
	const steps = details.filter((one) => one.event === "training-step");
	t.deepEqual(
		steps.map((step) => [step.step, step.examplesSeen]),
		[1, 2, 3].map((step) => [step, step * result.texts.train]),
	);
	// One step sees all texts, so its loss is that of the evaluation before it.
	for (const [i, { train }] of (await readMetrics(folder)).slice(0, 3).entries())
		t.true(Math.abs(train.loss - (steps[i]?.loss ?? 0)) < 1e-5, `${train.loss} ${steps[i]?.loss}`);
	const last = details.filter((one) => one.event === "workers-now").at(-1);
	t.is(last?.workers[0]?.trunkTexts, result.trunk.texts);
	t.true((last?.workers[0]?.texts ?? 0) > 3 * result.texts.train);
});

/** Checks that the model of a run gives the calibrated probabilities of predictions.jsonl. */
async function assertPredictions(t: ExecutionContext, run: string, openCluster: OpenCluster): Promise<void> {
	const classifier = await Classifier.open(run, await resolveConfig({ threads: 1 }), { openCluster });
	for await (const { source, probabilities } of readPredictions(run)) {
		const [file = "", line = ""] = source.split(/:(?=\d+$)/);
		const [, text = ""] = (await readFile(file, "utf8")).split("\n")[Number(line) - 1]?.split("\t") ?? [];
		const [answer] = await classifier.classify([{ text, source }]);
		for (const [label, name] of classifier.settings.labels.entries())
			t.true(Math.abs((probabilities[name] ?? Number.NaN) - (answer?.probabilities[label] ?? Number.NaN)) < 1e-5);
	}
	await classifier.close();
}

/** Returns the epoch with the largest value, or of equal values the one with the smaller loss. */
function bestEpoch(lines: readonly MetricsLine[], measure: (score: MetricsLine["validation"]) => number): number {
	const ends = lines.filter(({ kind }) => kind === "epoch");
	const order = ends.toSorted(({ validation: a }, { validation: b }) => measure(b) - measure(a) || a.loss - b.loss);
	return order[0]?.epoch ?? 0;
}

test("uneven classes are compared by macro F1 unless --metric names another score, and the settings of the run keep it", async (t) => {
	const of = { ...(await settings()), epochs: 4, lr: 3e-3, balance: "undersample" };
	// One label of five is wrong, so that epochs differ.
	const lines = (await readFile(of.data, "utf8")).trimEnd().split("\n");
	const [first = "", second = ""] = new Set(lines.map((line) => line.split("\t")[0]));
	const wrong = (line: string) => line.replace(/^\w+/, (label) => (label === first ? second : first));
	const noisy = lines.map((line, i) => (i % 5 === 2 ? wrong(line) : line));
	const rare = noisy.filter((line) => line.startsWith(first)).slice(0, 20);
	const uneven = [...rare, ...noisy.filter((line) => !line.startsWith(first))];
	await writeFile(of.data, `${uneven.join("\n")}\n`);
	const options = environment(new AbortController().signal);
	const { result } = await train(await resolveConfig(of), options);
	t.is(result.kept.metric, "macro-f1");
	t.is((await readRunConfig(of.out)).metric, "macro-f1");
	const { foldedTemperature } = JSON.parse(await readFile(join(of.out, "model", "tailtune.json"), "utf8"));
	t.is(foldedTemperature, result.calibration?.temperature);
	t.not(foldedTemperature, 1, "wrong predictions on validation");
	await assertPredictions(t, of.out, options.openCluster);
	t.is(
		result.kept.epoch,
		bestEpoch(await readMetrics(of.out), ({ macroF1 }) => macroF1),
	);
	const out = join(await newFolder(), "run");
	const byLoss = await train(await resolveConfig({ ...of, out, metric: "loss", patience: 1 }), options);
	const byLossLines = await readMetrics(out);
	t.is(byLoss.result.kept.metric, "loss");
	t.is(
		byLoss.result.kept.epoch,
		bestEpoch(byLossLines, ({ loss }) => -loss),
	);
});
