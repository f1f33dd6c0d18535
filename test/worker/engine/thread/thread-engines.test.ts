import { fileURLToPath } from "node:url";
import test from "ava";
import type { TailSpec, Trainable } from "../../../../shared/messages.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { parameterLayout } from "../../../../shared/model/parameter-layout.ts";
import { gradientForm } from "../../../../shared/updates/gradient-form.ts";
import { allocateVectors } from "../../../../shared/vectors/allocate-vectors.ts";
import type { EngineChoice } from "../../../../shared/worker-port/engine-choice.ts";
import type { TailInput } from "../../../../worker/engine/engine.ts";
import { describeEngines, openEngines } from "../../../../worker/engine/open-engines.ts";
import { ThreadEngines } from "../../../../worker/engine/thread/thread-engines.ts";
import { allocateGradient } from "../../../multiply-out.ts";
import { oneHot } from "../one-hot.ts";
import { COMPUTES_UNTIL_STOPPED, FAULTS } from "./fake-thread-engines.ts";

const model = await openModel(fileURLToPath(new URL("../../../golden", import.meta.url)));
const fakes = new URL("./fake-thread-engines.ts", import.meta.url);
const choices: readonly EngineChoice[] = [
	{ engine: "auto", backend: "auto", threads: 2 },
	{ engine: "tfjs", backend: "wasm", threads: 1 },
	{ engine: "tfjs", backend: "cpu", threads: 1 },
];
const [auto] = choices as [EngineChoice];

function specOf(trainable: Trainable): TailSpec {
	return { trainable, classes: 2, causal: true, loraRank: 2, loraScale: 2, loss: null };
}

const lastBlock = specOf("TRAINABLE_LAST_BLOCK");
const sequences = [Uint32Array.of(5, 6, 7), Uint32Array.of(8), Uint32Array.of(1, 2, 3, 4, 5)];

function parametersOf(spec: TailSpec): Float32Array {
	return Float32Array.from({ length: parameterLayout(spec, model.config).size }, (_, i) => Math.sin(i) / 10);
}

/** The inputs of texts. Their hidden states are views of one larger array, as from a feature store. */
function inputsOf(hidden: readonly Float32Array[], classes = 2): TailInput[] {
	const whole = Float32Array.from(hidden.flatMap((states) => [...states]));
	let from = 0;
	return sequences.map((tokens, i) => {
		const to = from + (hidden[i]?.length ?? 0);
		const own = whole.subarray(from, to);
		from = to;
		return { hidden: own, tokens, poolFrom: tokens.length - 1, poolCount: 1, targets: oneHot(i % 2, classes) };
	});
}

function faulty(fault: number): TailInput[] {
	return [
		{
			hidden: new Float32Array(0),
			tokens: Uint32Array.of(1),
			poolFrom: 0,
			poolCount: 1,
			targets: Float32Array.of(fault, 0),
		},
	];
}

for (const choice of choices) {
	for (const trainable of ["TRAINABLE_LAST_BLOCK", "TRAINABLE_HEAD", "TRAINABLE_ALL"] as const) {
		test.serial(`${choice.engine} ${choice.backend}, ${trainable}: a thread gives the same bits`, async (t) => {
			const spec = specOf(trainable);
			const engines = new ThreadEngines();
			const parameters = parametersOf(spec);
			const results = [];
			for (const open of [openEngines, engines.openEngines.bind(engines)]) {
				const { trunk, tail } = await open(model, spec, choice);
				const hidden = (await trunk?.hiddenStates(sequences)) ?? [];
				const inputs = inputsOf(hidden);
				await tail.load(parameters);
				const logits = [await tail.logits(inputs)];
				const gradients = [];
				// Dense, as factors, and dense again: the shared memory is reused.
				for (const texts of [0, 1, 0]) {
					const form = gradientForm(spec, model.config, texts);
					const gradient = allocateGradient(form, inputs).gradient.fill(7);
					await tail.load(parameters);
					logits.push(await tail.gradient(inputs, form, gradient));
					gradients.push(gradient);
				}
				results.push({ infos: [trunk?.info, tail.info], hidden, logits, gradients });
				await trunk?.dispose();
				await tail.dispose();
			}
			t.deepEqual(results[1], results[0]);
			t.true(results[1]?.gradients.every((gradient) => gradient.some((number) => number !== 7)));
			t.deepEqual(parameters, parametersOf(spec), "the given parameters are unchanged");
			await engines.terminate();
		});
	}
}

test.serial("a thread describes its engines as this thread does", async (t) => {
	const engines = new ThreadEngines();
	for (const choice of choices) t.deepEqual(await engines.describeEngines(choice), await describeEngines(choice));
	await engines.terminate();
});

test.serial("one thread serves several runs, each with its own engines", async (t) => {
	const engines = new ThreadEngines();
	const specs = [specOf("TRAINABLE_HEAD"), lastBlock, { ...lastBlock, classes: 3 }];
	const opened = await Promise.all(specs.map((spec) => engines.openEngines(model, spec, auto)));
	await opened[0]?.tail.dispose();
	for (const [i, { trunk, tail }] of opened.slice(1).entries()) {
		const hidden = (await trunk?.hiddenStates(sequences)) ?? [];
		await tail.load(parametersOf(specs[i + 1] as TailSpec));
		t.is((await tail.logits(inputsOf(hidden, i + 2))).length, 3 * (i + 2));
	}
	await engines.terminate();
});

test.serial("parameters and gradients in shared memory are read and written in place", async (t) => {
	const engines = new ThreadEngines();
	const { trunk, tail } = await engines.openEngines(model, lastBlock, auto);
	const inputs = inputsOf((await trunk?.hiddenStates(sequences)) ?? []);
	const plain = parametersOf(lastBlock);
	const form = gradientForm(lastBlock, model.config, 0);
	const gradient = new Float32Array(form.trainedSize);
	await tail.load(plain);
	const logits = await tail.gradient(inputs, form, gradient);
	t.true(gradient.some((number) => number !== 0));
	const inShared = ({ byteLength, length }: Float32Array) =>
		new Float32Array(new SharedArrayBuffer(byteLength + 8), 4, length); // a view of larger memory
	const others = [[inShared(plain), inShared(gradient)], allocateVectors(plain.length, gradient.length)];
	for (const [parameters, own] of others as [Float32Array, Float32Array][]) {
		await tail.load(plain.map((number) => number + 1));
		t.notDeepEqual(await tail.logits(inputs), logits);
		parameters.set(plain);
		await tail.load(parameters);
		t.deepEqual(await tail.gradient(inputs, form, own), logits);
		t.deepEqual(Float32Array.from(own), gradient);
		parameters.fill(0);
		await tail.load(parameters);
		t.deepEqual(await tail.logits(inputs), new Float32Array(logits.length));
		t.deepEqual(await tail.gradient(inputs, form, own), new Float32Array(logits.length));
		t.notDeepEqual(Float32Array.from(own), gradient);
	}
	await engines.terminate();
});

test.serial("disposed engines can't be used any more", async (t) => {
	const engines = new ThreadEngines();
	const { trunk, tail } = await engines.openEngines(model, lastBlock, auto);
	await Promise.all([trunk?.dispose(), tail.dispose()]);
	const message = "engine thread: session 0 is not open";
	await t.throwsAsync(tail.logits(faulty(0)), { code: "engine", message });
	await t.throwsAsync(trunk?.hiddenStates(sequences) as Promise<unknown>, { code: "engine", message });
	await engines.terminate();
});

test("errors keep the code and the message that they have in the thread", async (t) => {
	const engines = new ThreadEngines(fakes);
	const missing = engines.openEngines({ ...model, folder: "/nowhere" }, lastBlock, auto);
	await t.throwsAsync(missing, { name: "TailtuneError", code: "not-found", message: /^\/nowhere: no such folder/ });
	const { tail } = await engines.openEngines(model, lastBlock, auto);
	const refused = await t.throwsAsync(tail.logits(faulty(FAULTS.refuses)));
	t.like(refused, { name: "TailtuneError", code: "data", message: "fake: refused" });
	await t.throwsAsync(tail.logits(faulty(FAULTS.fails)), { message: "fake: failed" });
	const form = gradientForm(lastBlock, model.config, 0);
	const gradient = new Float32Array(4);
	await t.throwsAsync(tail.gradient(faulty(FAULTS.fails), form, gradient), { message: "fake: failed" });
	t.deepEqual(await tail.gradient(faulty(0), form, gradient), Float32Array.of(0, 0), "the thread continues");
	t.deepEqual(gradient, new Float32Array(4).fill(0.5));
	await engines.terminate();
});

for (const [fault, message] of [
	["crashes", "engine thread: fake: crashed"],
	["exits", "engine thread: ended with exit code 3"],
] as const) {
	test(`a thread that ${fault} fails all pending calls, and the next run gets a new thread`, async (t) => {
		const engines = new ThreadEngines(fakes);
		const { trunk, tail } = await engines.openEngines(model, lastBlock, auto);
		const other = await engines.openEngines(model, lastBlock, auto);
		const expected = { name: "TailtuneError", code: "engine", message };
		const [own, others] = [tail.logits(faulty(FAULTS[fault])), other.tail.logits(faulty(FAULTS[fault]))];
		await t.throwsAsync(own, expected);
		await t.throwsAsync(others, expected);
		await t.throwsAsync(trunk?.hiddenStates(sequences) as Promise<unknown>, expected);
		await t.notThrowsAsync(async () => [await trunk?.dispose(), await tail.dispose()]);
		const next = await engines.openEngines(model, lastBlock, auto);
		t.is((await next.tail.logits(faulty(0))).length, 2);
		await engines.terminate();
	});
}

test("a thread can be terminated during a computation", async (t) => {
	const engines = new ThreadEngines(fakes);
	const { tail } = await engines.openEngines(model, lastBlock, auto);
	const flags = new Int32Array(new SharedArrayBuffer(8));
	flags[0] = COMPUTES_UNTIL_STOPPED;
	await tail.load(new Float32Array(flags.buffer));
	const computing = t.throwsAsync(tail.logits(faulty(0)), { message: "engine thread: terminated" });
	while (Atomics.load(flags, 0) !== 1) await new Promise((resolve) => setImmediate(resolve));
	await engines.terminate();
	await computing;
});
