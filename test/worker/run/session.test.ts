import test from "ava";
import { createMemoryTensors } from "../../../coordinator/exchange/memory-tensors.ts";
import { tensorSchema } from "../../../shared/exchange/tensor-schema.ts";
import type { RunSpec, Sequence, TailSpec, WorkItem } from "../../../shared/messages.ts";
import { gradientForm, gradientLength } from "../../../shared/updates/gradient-form.ts";
import { ByteBudget } from "../../../worker/features/byte-budget.ts";
import { FeatureCache } from "../../../worker/features/feature-cache.ts";
import { FeatureStore } from "../../../worker/features/feature-store.ts";
import { Session } from "../../../worker/run/session.ts";
import { newFolder } from "../../new-folder.ts";
import { someItem } from "../../shared/bus/messages.ts";
import {
	allRun,
	FakeTail,
	FakeTrunk,
	fakeModel,
	headRun,
	lastBlockRun,
	layoutOf,
	someSequence,
	width,
} from "./fake-engines.ts";

/** A session with versions 0 and 1 of the parameters: all 0, all 1. */
async function open(run: RunSpec = lastBlockRun, cache?: FeatureCache) {
	const trunk = run === allRun ? undefined : new FakeTrunk();
	const tail = new FakeTail();
	const features = new FeatureStore(new ByteBudget(1e6));
	const tensors = createMemoryTensors();
	tensors.openRun(run.runId, tensorSchema(run, fakeModel.config));
	for (const version of [0, 1]) {
		await tensors.publishState(run.runId, version, { parameters: new Float32Array(layoutOf(run).size).fill(version) });
	}
	const engines = { trunk, tail };
	const session = new Session({ run, model: fakeModel, engines, features, cache, tensors, workerId: "w" });
	return { session, trunk, tail, features, tensors };
}

/** A run with two texts per step, whose gradients are factors. */
const factoredRun: RunSpec = { ...lastBlockRun, factorTexts: 2 };

const texts = [[1, 2], [3], [1, 2]].map((tokens) => someSequence(tokens));

test("the trunk computes each distinct text once, for all later items", async (t) => {
	const { session, trunk } = await open();
	const { result, logits } = await session.handle(someItem({ kind: "WORK_KIND_PREPARE", sequences: texts }));
	t.is(result.failure, null);
	t.deepEqual([result.trunkSequences, result.trunkTokens, logits], [2, 3, []]);
	const kinds = ["WORK_KIND_PREPARE", "WORK_KIND_GRADIENT", "WORK_KIND_EVALUATE", "WORK_KIND_CLASSIFY"] as const;
	for (const kind of kinds) {
		const { result: again } = await session.handle(someItem({ kind, sequences: texts }));
		t.deepEqual([again.failure, again.trunkSequences], [null, 0]);
	}
	const { result: mixed } = await session.handle(someItem({ sequences: [...texts, someSequence([4, 5, 6])] }));
	t.deepEqual([mixed.trunkSequences, mixed.trunkTokens], [1, 3]);
	t.deepEqual(trunk?.calls, [[[1, 2], [3]], [[4, 5, 6]]]);
});

test("after the first answer with numbers, other processes find the features of the texts before", async (t) => {
	const options = { folder: await newFolder(), bytes: 1e6 };
	const { session } = await open(lastBlockRun, new FeatureCache({}, options));
	await session.handle(someItem({ kind: "WORK_KIND_PREPARE", sequences: texts }));
	await session.handle(someItem({ kind: "WORK_KIND_EVALUATE", sequences: texts }));
	const { session: other } = await open(lastBlockRun, new FeatureCache({}, options));
	const { result } = await other.handle(someItem({ kind: "WORK_KIND_PREPARE", sequences: texts }));
	t.deepEqual([result.failure, result.trunkSequences], [null, 0]);
});

test("an evaluated text is kept, a classified one is not", async (t) => {
	const { session, features } = await open();
	await session.handle(someItem({ kind: "WORK_KIND_CLASSIFY", sequences: texts }));
	t.is(features.stats.entries, 0);
	await session.handle(someItem({ kind: "WORK_KIND_EVALUATE", sequences: texts }));
	t.is(features.stats.entries, 2);
});

test("an answer names its item and has one row of logits per sequence", async (t) => {
	const { session } = await open();
	const item = someItem({ serial: 5, shard: 1, parameterVersion: 1, sequences: texts });
	const { result, logits, tensor } = await session.handle({ ...item, kind: "WORK_KIND_EVALUATE" });
	t.deepEqual(logits, [1, 603.375, 1, 900.375, 1, 603.375]);
	t.deepEqual([result.runId, result.serial, result.workerId], ["run", 5, "w"]);
	t.is(tensor, undefined);
});

test("the answer to a gradient item has the gradient", async (t) => {
	const { session } = await open();
	const { result, logits, tensor } = await session.handle(someItem({ parameterVersion: 1, sequences: texts }));
	t.is(result.failure, null);
	t.is(tensor?.length, layoutOf(lastBlockRun).trainedSize);
	t.is(tensor?.at(-1), Math.fround(logits.reduce((sum, logit) => sum + logit, 0)));
});

test("parameters are loaded only when the version changes", async (t) => {
	const { session, tail } = await open();
	for (const parameterVersion of [0, 0, 1, 1, 0]) await session.handle(someItem({ parameterVersion }));
	await session.handle(someItem({ kind: "WORK_KIND_PREPARE", parameterVersion: 1 }));
	t.deepEqual(tail.loads, [0, 1, 0]);
});

test("a tail with frozen and tuned blocks gets all rows and the unchanged pooling", async (t) => {
	const { session, tail, features } = await open();
	await session.handle(someItem({ sequences: [someSequence([1, 2, 3], { poolFrom: 1, poolCount: 2, labels: [1] })] }));
	const { hidden, poolFrom, poolCount, targets } = tail.inputs[0] ?? {};
	t.deepEqual([hidden?.length, poolFrom, poolCount, [...(targets ?? [])]], [3 * width, 1, 2, [0, 1]]);
	t.is(features.stats.memoryBytes, 3 * width * 4);
});

test("for the head alone only the pooled rows are kept, and the same text with another pooling counts as another text", async (t) => {
	const { session, tail, features } = await open(headRun);
	const sequences = [
		someSequence([1, 2, 3], { poolFrom: 1, poolCount: 2 }),
		someSequence([1, 2, 3], { poolFrom: 2, poolCount: 1 }),
	];
	for (const _ of ["computed", "kept"]) await session.handle(someItem({ sequences }));
	const seen = tail.inputs.map(({ hidden, poolFrom, poolCount }) => [hidden[0], hidden.length, poolFrom, poolCount]);
	t.deepEqual(seen.slice(0, 2), [
		[201, 2 * width, 0, 2],
		[302, width, 0, 1],
	]);
	t.deepEqual(seen.slice(2), seen.slice(0, 2));
	t.is(features.stats.memoryBytes, 3 * width * 4);
});

test("if nothing is frozen the tail gets token ids, and no features are kept", async (t) => {
	const { session, tail, features } = await open(allRun);
	const prepared = await session.handle(someItem({ kind: "WORK_KIND_PREPARE", sequences: texts }));
	t.is(prepared.result.failure, null);
	const { result } = await session.handle(someItem({ sequences: texts }));
	t.deepEqual([result.failure, result.trunkSequences, features.stats.entries], [null, 0, 0]);
	t.deepEqual(
		tail.inputs.map(({ tokens, hidden }) => [[...tokens], hidden.length]),
		[
			[[1, 2], 0],
			[[3], 0],
			[[1, 2], 0],
		],
	);
});

const bad: [fault: string, item: Partial<WorkItem>, message: RegExp][] = [
	["another run", { runId: "other" }, /of run other, expected run$/],
	["no kind", { kind: "WORK_KIND_UNSPECIFIED" }, /unknown kind of work/],
	["a kind of the future", { kind: 9 as unknown as WorkItem["kind"] }, /item 1, 9 of version 0: unknown kind of work/],
	["a shard too high", { shard: 2 }, /shard 2, expected less than 2$/],
	["no sequences", { sequences: [] }, /no sequences/],
	["no tokens", { sequences: [someSequence([])] }, /example 0: 0 tokens, expected 1 to 8$/],
	["too many tokens", { sequences: [someSequence([1, 2, 3, 4, 5, 6, 7, 8, 9])] }, /example 1: 9 tokens/],
	["a token out of the vocabulary", { sequences: [someSequence([1, 50])] }, /token 50, expected less than .* 50$/],
	["no pooled row", { sequences: [someSequence([1], { poolCount: 0 })] }, /pooled rows 0 to 0/],
	["pooled rows outside", { sequences: [someSequence([1, 2], { poolCount: 2 })] }, /pooled rows 1 to 3.* of the 2$/],
	["a label too high", { sequences: [someSequence([1], { labels: [2] })] }, /label 2, expected less than 2$/],
	["two labels", { sequences: [someSequence([1], { labels: [0, 1] })] }, /2 labels, expected 1$/],
	["a version that isn't there", { parameterVersion: 7 }, /version 7/],
];

for (const [fault, fields, message] of bad) {
	test(`an item with ${fault} is answered with the fault, and the next item is computed`, async (t) => {
		const { session } = await open();
		const { result, logits, tensor } = await session.handle(someItem(fields));
		t.is(result.failure?.code, "protocol");
		t.regex(result.failure?.message ?? "", message);
		t.notRegex(result.failure?.message ?? "", /\n/);
		t.deepEqual([logits, tensor], [[], undefined]);
		t.is((await session.handle(someItem())).result.failure, null);
	});
}

test("parameters of another size are refused", async (t) => {
	const { session, tensors, tail } = await open();
	await tensors.publishState("run", 2, { parameters: new Float32Array(5) });
	const { result } = await session.handle(someItem({ parameterVersion: 2 }));
	t.is(result.failure?.code, "protocol");
	t.regex(result.failure?.message ?? "", /version 2 has 5 parameters, expected \d+$/);
	t.deepEqual(tail.loads, []);
});

test("a run's gradients are factors if its announcement says so, as many numbers as the item has texts", async (t) => {
	const { session } = await open(factoredRun);
	const form = gradientForm(factoredRun.tail as TailSpec, fakeModel.config, factoredRun.factorTexts);
	t.true(form.factorSize > 0);
	for (const sequences of [texts.slice(0, 1), texts.slice(0, 2)]) {
		const { tensor } = await session.handle(someItem({ sequences }));
		t.is(tensor?.length, gradientLength(form, sequences.length));
	}
});

test("a gradient has a row for each token and each position of its item if embeddings are trained", async (t) => {
	const { session } = await open(allRun);
	const form = gradientForm(allRun.tail as TailSpec, fakeModel.config, 0);
	const sequences = [someSequence([4, 7, 4]), someSequence([7])];
	const { tensor } = await session.handle(someItem({ sequences }));
	t.is(tensor?.length, gradientLength(form, 2, 2 + 3));
});

const unfit: [fault: string, sequences: Sequence[], message: RegExp][] = [
	[
		"a text of which the head reads two rows",
		[someSequence([1, 2], { poolFrom: 0, poolCount: 2 })],
		/example 1: 2 pooled rows, expected 1/,
	],
	["more texts than a step has", texts, /: 3 texts, expected at most 2$/],
];

for (const [fault, sequences, message] of unfit) {
	test(`an item of ${fault} has no gradient of factors, and is answered with the fault`, async (t) => {
		const { session, tail } = await open(factoredRun);
		const { result } = await session.handle(someItem({ sequences }));
		t.is(result.failure?.code, "protocol");
		t.regex(result.failure?.message ?? "", message);
		t.deepEqual(tail.inputs, []);
		for (const kind of ["WORK_KIND_EVALUATE", "WORK_KIND_CLASSIFY"] as const)
			t.is((await session.handle(someItem({ kind, sequences }))).result.failure, null);
		const dense = await open();
		t.is((await dense.session.handle(someItem({ sequences }))).result.failure, null);
	});
}

test("logits that aren't finite are reported as diverged, without a gradient", async (t) => {
	const { session, tail } = await open();
	const item = someItem({ sequences: texts });
	tail.fault = (logits) => logits.fill(Number.NaN, 3);
	const { result, logits, tensor } = await session.handle(item);
	t.is(result.failure?.code, "diverged");
	t.regex(result.failure?.message ?? "", /logits of example 3 aren't finite/);
	t.deepEqual([logits, tensor], [[], undefined]);
});

test("an engine that fails or gives too few numbers causes a failure of one line, and the next item is computed", async (t) => {
	const { session, tail } = await open();
	const failure = async () => (await session.handle(someItem())).result.failure;
	tail.fault = () => Promise.reject(new Error("out of memory\n    at somewhere"));
	t.deepEqual(await failure(), { code: "engine", message: "out of memory", ofWorker: true, fault: 0 });
	tail.fault = (logits) => logits.subarray(1);
	const tooFew = "the tail gave 1 logits, expected 2";
	t.deepEqual(await failure(), { code: "engine", ofWorker: true, fault: 0, message: tooFew });
	t.is(await failure(), null);
});

test("closing a session closes its engines and its store", async (t) => {
	const { session, trunk, tail, features } = await open();
	await session.handle(someItem());
	await session.close();
	t.true(trunk?.isDisposed);
	t.true(tail.isDisposed);
	t.is(features.stats.memoryBytes, 0);
});
