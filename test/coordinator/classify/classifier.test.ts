import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Classifier } from "../../../coordinator/classify/classifier.ts";
import type { ClassifierSettings } from "../../../coordinator/classify/classifier-settings.ts";
import { evaluateClassifier } from "../../../coordinator/classify/evaluate-classifier.ts";
import type { OpenCluster } from "../../../coordinator/cluster/cluster.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { toDataset } from "../../../coordinator/data/dataset.ts";
import { averageLogits, divideTokens } from "../../../coordinator/data/divide-tokens.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import type { LabelRule } from "../../../coordinator/metrics/scoring.ts";
import { ServedModel } from "../../../coordinator/serve/served-model.ts";
import { evaluationLines } from "../../../coordinator/terminal/evaluation-lines.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import type { LongTexts, TrainConfig } from "../../../shared/settings/config.ts";
import type { RunningWorker } from "../../../shared/worker-port/running-worker.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { tokenize } from "../../gpt2-tokenizer.ts";
import { labels, makeRun } from "../../serve/run-folder.ts";

const workerSide = { startWorker, inspectEngines: async () => [], addWorkerCommand: () => {} };
const openCluster: OpenCluster = (run) => openEmbeddedCluster(workerSide, run);
const engine = { engine: "auto", backend: "auto", threads: 1 } as const;

/** Makes a run folder with a model for 256 tokens. @param long how the run read longer texts @param rule default: neutral */
async function runThat(long: LongTexts, rule: Partial<LabelRule & ClassifierSettings> = {}): Promise<string> {
	const run = await makeRun();
	const file = join(run, "model", "tailtune.json");
	await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), long, ...rule }));
	return run;
}

const refusing = await runThat("refuse");
const cutting = await runThat("cut");
const dividing = await runThat("windows");

async function open(
	t: ExecutionContext,
	run: string,
	asked: Pick<TrainConfig, "maxTokens" | "long" | "abstain" | "threshold"> = {},
): Promise<Classifier> {
	const classifier = await Classifier.open(run, { ...engine, ...asked }, { openCluster });
	t.teardown(() => classifier.close());
	return classifier;
}

// "word" is one token, and so is each " word".
const words = (count: number) => Array.from({ length: count }, () => "word").join(" ");
const texts = [
	{ text: words(256), source: "f:1" },
	{ text: words(300), source: "f:2" },
];
const refusal =
	"f:2: found a text of 300 tokens, expected at most 256 (the limit of this model); for longer texts use --long cut, head-tail or windows";

test("a text longer than the model's maximum is refused, as in training", async (t) => {
	const classifier = await open(t, refusing);
	const error = await t.throwsAsync(classifier.classify(texts), { instanceOf: TailtuneError, code: "data" });
	t.is(error?.message, refusal);
	const dataset = toDataset(texts.map((text, i) => ({ ...text, label: ["ham", "spam"][i] ?? "" })));
	await t.throwsAsync(evaluateClassifier(classifier, dataset, new RunEvents()), { code: "data", message: refusal });
});

test("a longer text is cut with --long cut, and its answer is marked as truncated", async (t) => {
	const cut = await (await open(t, refusing, { long: "cut" })).classify(texts);
	t.deepEqual(
		cut.map(({ tokens, truncated }) => [tokens, truncated]),
		[
			[256, false],
			[256, true],
		],
	);
	t.deepEqual(cut[0]?.logits, cut[1]?.logits);
	const shorter = await (await open(t, cutting, { maxTokens: 10 })).classify(texts);
	t.deepEqual(
		shorter.map(({ tokens, truncated }) => [tokens, truncated]),
		[
			[10, true],
			[10, true],
		],
	);
	await t.throwsAsync(open(t, refusing, { maxTokens: 257 }), {
		code: "usage",
		message: "--max-tokens: found 257, expected at most 256, the limit of this model",
	});
});

test("a longer text is cut if the run cut its texts; an evaluation counts such texts and has the baseline", async (t) => {
	const classifier = await open(t, cutting);
	t.true((await classifier.classify(texts))[1]?.truncated);
	const dataset = toDataset([...texts, { text: "short", source: "f:3" }].map((text) => ({ ...text, label: "spam" })));
	const evaluation = await evaluateClassifier(classifier, dataset, new RunEvents());
	t.like(evaluation, { texts: 3, cut: 1, maxTokens: 256, majorityBaseline: { label: "spam", accuracy: 1 } });
	t.true(evaluationLines(evaluation, (_, text) => text).includes("cut 1 of 3 texts to 256 tokens"));
});

/** Checks that logits are equal except for rounding, which depends on the batch. */
function assertNear(t: ExecutionContext, found: readonly number[] = [], expected: readonly number[] = []): void {
	t.is(found.length, labels.length);
	for (const [index, logit] of found.entries()) t.true(Math.abs(logit - (expected[index] ?? Number.NaN)) < 1e-5);
}

// Different tokens, so that each window has logits of its own.
const numbers = Array.from({ length: 300 }, (_, index) => index % 10).join(" ");

test("a text in windows gets the mean of their logits, and is read whole; other texts aren't affected", async (t) => {
	const classifier = await open(t, dividing, { maxTokens: 128 });
	const reference = await open(t, refusing);
	const [tokens = new Uint32Array()] = tokenize([numbers]);
	const { windows } = divideTokens(tokens, { tokens: 128, long: "windows" });
	t.is(windows.length, 4);
	const each = await reference.classifyGroup(windows, 0);
	let done = 0;
	const texts = [words(3), numbers, words(5)].map((text) => ({ text, source: "f" }));
	const [short, long, other] = await classifier.classify(texts, (count) => {
		done += count;
	});
	t.is(done, 3);
	t.like(long, { tokens: 300, truncated: false });
	assertNear(t, long?.logits, averageLogits(each.map(({ logits }) => logits)));
	t.deepEqual(
		[short, other].map((answer) => answer?.tokens),
		[3, 5],
	);
	assertNear(t, short?.logits, (await reference.classify(texts.slice(0, 1)))[0]?.logits);
});

test("with --long head-tail a text is read from both ends, whatever is between", async (t) => {
	const classifier = await open(t, refusing, { long: "head-tail", maxTokens: 8 });
	const texts = ["1 2 3 4 a b 5 6 7 8", "1 2 3 4 c d e f 5 6 7 8", "1 2 3 4 5 6 7 8"];
	const [first, second, whole] = await classifier.classify(texts.map((text) => ({ text, source: "f" })));
	t.deepEqual(first?.logits, second?.logits);
	t.deepEqual(first?.logits, whole?.logits);
	t.deepEqual(
		[first, second, whole].map((answer) => answer?.truncated),
		[true, true, false],
	);
});

test("probabilities are the softmax of the model's logits, which are divided by the temperature; the loss is of those before", async (t) => {
	const text = [{ text: "short", source: "f:1" }];
	const warm = await open(t, await runThat("refuse", { foldedTemperature: 4 }));
	const [answer] = await warm.classify(text);
	const softmax = (logits: readonly number[] = [], factor = 1) => {
		const weights = logits.map((logit) => Math.exp(logit * factor));
		return weights.map((weight) => weight / weights.reduce((sum, one) => sum + one, 0));
	};
	assertNear(t, answer?.probabilities, softmax(answer?.logits));
	const [grouped] = await warm.classifyGroup(tokenize(["short"]), 0);
	t.deepEqual(grouped?.probabilities, answer?.probabilities);
	const dataset = toDataset(labels.map((label) => ({ text: "short", source: "f", label })));
	const { loss } = await evaluateClassifier(warm, dataset, new RunEvents());
	t.true(Math.abs(loss - softmax(answer?.logits, 4).reduce((sum, share) => sum - Math.log(share) / 2, 0)) < 1e-4);
});

test("with --abstain a text gets no label if no probability reaches it; the flag replaces the run's value", async (t) => {
	const text = [{ text: "short", source: "f:1" }];
	const [plain] = await (await open(t, refusing)).classify(text);
	const { label = 0, probabilities = [] } = plain ?? {};
	const largest = Math.max(...probabilities);
	t.deepEqual(plain?.labels, [label]);
	const unsure = await runThat("refuse", { abstain: largest + 1e-9 });
	for (const [run, asked, expected] of [
		[refusing, { abstain: largest }, [label]],
		[refusing, { abstain: largest + 1e-9 }, []],
		[unsure, {}, []],
		[unsure, { abstain: 0 }, [label]],
	] as const) {
		const classifier = await open(t, run, asked);
		const [answer] = await classifier.classify(text);
		t.deepEqual([answer?.labels, answer?.label, answer?.probabilities], [expected, label, probabilities]);
		const [grouped] = await classifier.classifyGroup(tokenize(["short"]), 0);
		t.deepEqual(grouped?.labels, expected);
	}
	const several = await runThat("refuse", { multiLabel: true, thresholds: [0.5, 0.5] });
	await t.throwsAsync(open(t, several, { abstain: 0.9 }), { code: "usage", message: /^--abstain: expected one label/ });
});

test("--threshold replaces the run's value for a label; LABEL=best is the run's choice, and scores use it", async (t) => {
	const text = [{ text: "short", source: "f:1" }];
	const [plain] = await (await open(t, refusing)).classify(text);
	const [ham = 0, spam = 0] = plain?.probabilities ?? [];
	const chosen = await runThat("refuse", { thresholds: [null, spam + 1e-9], bestThresholds: [0.5, spam] });
	for (const [run, threshold, expected] of [
		[refusing, { spam }, ["spam"]],
		[refusing, { spam: spam + 1e-9 }, ["ham"]],
		[refusing, { ham: ham + 1e-9, spam: spam + 1e-9 }, []],
		[chosen, undefined, ["ham"]],
		[chosen, { spam: "best" }, ["spam"]],
	] as const) {
		const classifier = await open(t, run, { threshold });
		const [answer] = await classifier.classify(text);
		t.deepEqual(
			answer?.labels.map((label) => labels[label]),
			expected,
		);
		const { accuracy } = classifier.scoring.scoreInDetail(plain?.logits ?? [], [[answer?.label ?? -1]], 2);
		t.is(accuracy, 1);
	}
	const opening = (threshold: TrainConfig["threshold"]) => open(t, refusing, { threshold });
	await t.throwsAsync(opening({ scam: 0.5 }), {
		code: "usage",
		message: '--threshold: found label "scam", expected one of "ham", "spam"',
	});
	await t.throwsAsync(opening({ spam: "best" }), {
		code: "usage",
		message: /^--threshold: found spam=best, expected a/,
	});
});

test("a classifier whose parameters can't be published leaves no cluster open", async (t) => {
	let isClosed = false;
	const openBroken: OpenCluster = async (run) => {
		const cluster = await openCluster(run);
		const publishState = () => Promise.reject(new TailtuneError("offline", "out of reach"));
		const close = async () => {
			await cluster.close();
			isClosed = true;
		};
		return { ...cluster, tensors: { ...cluster.tensors, publishState }, close };
	};
	const opening = Classifier.open(refusing, engine, { openCluster: openBroken });
	await t.throwsAsync(opening, { code: "offline", message: "out of reach" });
	t.true(isClosed);
});

test("a run that can't be announced leaves no worker running", async (t) => {
	const workers: RunningWorker[] = [];
	const startLogged: typeof startWorker = async (options) => {
		const worker = await startWorker(options);
		workers.push(worker);
		return worker;
	};
	const openInvalid: OpenCluster = (run) =>
		openEmbeddedCluster({ startWorker: startLogged }, { ...run, model: undefined as never });
	await t.throwsAsync(Classifier.open(refusing, engine, { openCluster: openInvalid }));
	t.is(workers.length, 1);
	await workers[0]?.stopped;
});

test("a served model follows the same rule: longer texts are refused unless the call or the run cuts them", async (t) => {
	const never = new AbortController().signal;
	const parts = {
		openCluster,
		engine,
		shards: 1,
		limits: { maxBatch: 1, maxDelayMs: 0, maxQueue: 8, maxWaitMs: 60_000 },
		onBatch: () => {},
		onFault: () => {},
	};
	const [strict, lenient] = [await ServedModel.open(refusing, parts), await ServedModel.open(cutting, parts)];
	t.teardown(() => Promise.all([strict.close(), lenient.close()]));
	await t.throwsAsync(strict.classify(words(300), false, never), { code: "data", message: /more than 256 tokens/ });
	t.like(await strict.classify(words(300), true, never), { tokens: 256, truncated: true });
	t.like(await lenient.classify(words(300), false, never), { tokens: 256, truncated: true });
	t.like(await lenient.classify(words(3), false, never), { tokens: 3, truncated: false });
	const whole = await ServedModel.open(dividing, parts);
	t.teardown(() => whole.close());
	const [expected] = await (await open(t, dividing)).classify([{ text: numbers, source: "f" }]);
	const served = await whole.classify(numbers, true, never);
	t.like(served, { tokens: 300, truncated: false });
	assertNear(t, served.logits, expected?.logits);
	const endless = "0 1 ".repeat(2000);
	await t.throwsAsync(whole.classify(endless, false, never), { code: "data", message: /expected at most 8 windows/ });
});
