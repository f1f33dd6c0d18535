import * as tf from "@tensorflow/tfjs";
import test from "ava";
import { readInitialParameters } from "../../../../coordinator/base-model/initial-parameters.ts";
import type { TailSpec, Trainable } from "../../../../shared/messages.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { TRAINABLE_BY_NAME } from "../../../../shared/model/tail-spec.ts";
import { denseViews, gradientForm, gradientLength } from "../../../../shared/updates/gradient-form.ts";
import type { TailInput } from "../../../../worker/engine/engine.ts";
import { inspectEngines } from "../../../../worker/engine/inspect-engines.ts";
import { openTfjsBackend } from "../../../../worker/engine/tfjs/backend.ts";
import type { TfjsBackendName } from "../../../../worker/engine/tfjs/backend-names.ts";
import { openTfjsTail } from "../../../../worker/engine/tfjs/tail.ts";
import { openTfjsTrunk } from "../../../../worker/engine/tfjs/trunk.ts";
import { allocateGradient, multiplyOut } from "../../../multiply-out.ts";
import { oneHot } from "../one-hot.ts";

const printed: unknown[][] = [];
for (const method of ["log", "info", "warn", "error"] as const) console[method] = (...args) => printed.push(args);

// A GPT-2 of 3 blocks, 48 wide, 257 tokens, 48 positions.
const model = await openModel(new URL("../../../golden", import.meta.url).pathname);
const usable = (await inspectEngines()).filter((one) => one.engine === "tfjs" && one.usable);
const BACKENDS = usable.map(({ backend }) => backend as TfjsBackendName);

function specOf(trainable: Trainable, causal = true): TailSpec {
	return { trainable, classes: 3, causal, loraRank: 2, loraScale: 2, loss: null };
}

function text(length: number, seed: number): Uint32Array {
	return Uint32Array.from({ length }, (_, i) => (i * 37 + seed * 11) % 257);
}

async function open(trainable: Trainable, backend: TfjsBackendName, causal = true) {
	const spec = specOf(trainable, causal);
	const trunk = await openTfjsTrunk(model, spec, { backend, threads: 1 });
	const tail = await openTfjsTail(model, spec, { backend, threads: 1 });
	const parameters = await readInitialParameters(model, spec, 1);
	await tail.load(parameters);
	const input = async (tokens: Uint32Array, pool: Partial<TailInput> = {}): Promise<TailInput> => {
		const [hidden = new Float32Array(0)] = await trunk.hiddenStates([tokens]);
		return {
			hidden,
			tokens,
			poolFrom: tokens.length - 1,
			poolCount: 1,
			targets: oneHot(tokens.length % 3, 3),
			...pool,
		};
	};
	const close = async () => {
		await tail.dispose();
		await trunk.dispose();
	};
	const form = gradientForm(spec, model.config, 0);
	return { trunk, tail, parameters, input, close, form, trainedSize: form.trainedSize };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
	return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

for (const backend of BACKENDS) {
	test.serial(`${backend}: a text's states have the same bits alone and with others`, async (t) => {
		for (const causal of [true, false]) {
			const { trunk, close } = await open("TRAINABLE_LAST_BLOCK", backend, causal);
			const texts = [text(5, 1), text(17, 2), text(1, 3), text(9, 4)];
			const together = await trunk.hiddenStates(texts);
			for (const [i, one] of texts.entries()) t.deepEqual((await trunk.hiddenStates([one]))[0], together[i]);
			await close();
		}
	});

	test.serial(`${backend}: the one-row path gives the logits of the all-rows path`, async (t) => {
		for (const causal of [true, false]) {
			for (const trainable of ["TRAINABLE_LAST_BLOCK", "TRAINABLE_LAST_TWO_BLOCKS", "TRAINABLE_LORA"] as const) {
				const { tail, input, close } = await open(trainable, backend, causal);
				const inputs = [await input(text(7, 1)), await input(text(12, 2))];
				// If the head reads two rows of one text, all rows are computed.
				const reading2 = await input(text(4, 3), { poolFrom: 1, poolCount: 2 });
				const fast = await tail.logits(inputs);
				const slow = await tail.logits([...inputs, reading2]);
				t.true(largestDifference(fast, slow) < 2e-5);
				await close();
			}
		}
	});

	test.serial(`${backend}: a closed engine leaves no tensors, and neither does a call`, async (t) => {
		for (const trainable of Object.values(TRAINABLE_BY_NAME)) {
			const before = tf.memory().numTensors;
			const { tail, trunk, input, parameters, form, close } = await open(trainable, backend);
			const opened = tf.memory().numTensors;
			t.true(opened > before);
			const inputs = [await input(text(7, 1)), await input(text(3, 2))];
			await tail.logits(inputs);
			await tail.gradient(inputs, form, allocateGradient(form, inputs).gradient);
			const factored = gradientForm(specOf(trainable), model.config, 1);
			await tail.gradient(inputs, factored, allocateGradient(factored, inputs).gradient);
			await tail.load(parameters);
			await trunk.hiddenStates([text(4, 1)]);
			t.is(tf.memory().numTensors, opened);
			await close();
			t.is(tf.memory().numTensors, before);
		}
	});

	test.serial(`${backend}: an error after the forward pass leaves no tensors`, async (t) => {
		const { tail, input, close } = await open("TRAINABLE_LAST_BLOCK", backend);
		const inputs = [await input(text(7, 1))];
		const form = gradientForm(specOf("TRAINABLE_LAST_BLOCK"), model.config, 1);
		const opened = tf.memory().numTensors;
		const { softmaxCrossEntropy } = tf.losses;
		tf.losses.softmaxCrossEntropy = () => {
			throw new Error("device is lost");
		};
		const failing = tail.gradient(inputs, form, new Float32Array(gradientLength(form, 1)));
		await t.throwsAsync(failing, { message: "device is lost" });
		tf.losses.softmaxCrossEntropy = softmaxCrossEntropy;
		t.is(tf.memory().numTensors, opened);
		await close();
	});

	test.serial(`${backend}: loading copies the vector`, async (t) => {
		const { tail, input, parameters, close } = await open("TRAINABLE_LAST_BLOCK", backend);
		const inputs = [await input(text(7, 1))];
		const before = await tail.logits(inputs);
		parameters.fill(0);
		t.deepEqual(await tail.logits(inputs), before);
		await tail.load(parameters);
		t.deepEqual(await tail.logits(inputs), new Float32Array(3));
		await close();
	});

	test.serial(
		`${backend}: a gradient overwrites its whole array, agrees with its factors, and leaves the inputs unchanged`,
		async (t) => {
			for (const trainable of Object.values(TRAINABLE_BY_NAME)) {
				const { tail, input, form, close } = await open(trainable, backend);
				const inputs = [await input(text(6, 1)), await input(text(9, 2))];
				const copies = inputs.map(({ hidden }) => hidden.slice());
				const dense = allocateGradient(form, inputs);
				const logits = await tail.gradient(inputs, form, dense.gradient);
				const gradient = multiplyOut(form, dense);
				t.true(gradient.every(Number.isFinite));
				t.true(gradient.some((value) => value !== 0));
				t.deepEqual(logits, await tail.logits(inputs));
				const factored = gradientForm(specOf(trainable), model.config, 1);
				const factors = allocateGradient(factored, inputs);
				t.deepEqual(await tail.gradient(inputs, factored, factors.gradient), logits);
				const product = multiplyOut(factored, factors);
				const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
				t.true(largestDifference(product, gradient) < 1e-6 * largest);
				t.deepEqual(
					inputs.map(({ hidden }) => hidden),
					copies,
				);
				await close();
			}
		},
	);
}

test.serial("several labels per text: the gradient of a logit of 0 is half minus the target", async (t) => {
	for (const backend of BACKENDS) {
		const loss = { multiLabel: true, labelSmoothing: 0, classWeights: [] };
		const spec = { ...specOf("TRAINABLE_HEAD"), loss };
		const before = tf.memory().numTensors;
		const tail = await openTfjsTail(model, spec, { backend, threads: 1 });
		const form = gradientForm(spec, model.config, 0);
		await tail.load(new Float32Array(form.trainedSize));
		const gradient = new Float32Array(form.trainedSize);
		const hidden = new Float32Array(model.config.n_embd).fill(1);
		const targets = Float32Array.of(0, 1, 1);
		const input = { hidden, tokens: Uint32Array.of(1), poolFrom: 0, poolCount: 1, targets };
		t.deepEqual(await tail.gradient([input], form, gradient), new Float32Array(3));
		t.deepEqual(denseViews(form, gradient).get("score.bias"), Float32Array.of(1 / 6, -1 / 6, -1 / 6));
		await tail.dispose();
		t.is(tf.memory().numTensors, before);
	}
});

test.serial("engines on different backends can be used alternately", async (t) => {
	const [cpu, wasm] = [await open("TRAINABLE_HEAD", "cpu"), await open("TRAINABLE_HEAD", "wasm")];
	const input = await cpu.input(text(5, 1));
	const [a, b] = await Promise.all([cpu.tail.logits([input]), wasm.tail.logits([input])]);
	t.true(largestDifference(a, b) < 1e-5);
	t.deepEqual([cpu.tail.info.backend, wasm.tail.info.backend], ["cpu", "wasm"]);
	await cpu.close();
	await wasm.close();
});

test.serial("without texts there are no logits, and a gradient is refused", async (t) => {
	const { tail, form, trainedSize, close } = await open("TRAINABLE_HEAD", "wasm");
	t.is((await tail.logits([])).length, 0);
	await t.throwsAsync(tail.gradient([], form, new Float32Array(trainedSize)), { message: /found no texts/ });
	await close();
});

test.serial("tokens, texts and parameters that don't fit the model are refused", async (t) => {
	const { tail, trunk, parameters, close } = await open("TRAINABLE_HEAD", "wasm");
	const refused = { name: "TailtuneError", code: "engine" };
	await t.throwsAsync(trunk.hiddenStates([Uint32Array.of(3, 257)]), {
		...refused,
		message: "token 257: expected below 257",
	});
	await t.throwsAsync(trunk.hiddenStates([text(49, 1)]), {
		...refused,
		message: "text of 49 tokens: expected at most 48",
	});
	const message = `parameters: found ${parameters.length - 1} numbers, expected ${parameters.length}`;
	await t.throwsAsync(tail.load(parameters.subarray(1)), { ...refused, message });
	await close();
});

test.serial(
	"a model or batch too large for WebAssembly is refused in one line, if possible before it is loaded",
	async (t) => {
		const large = { ...model, config: { ...model.config, n_layer: 36, n_embd: 1280 } };
		const opening = openTfjsTail(large, specOf("TRAINABLE_ALL"), { backend: "wasm", threads: 1 });
		await t.throwsAsync(opening, {
			code: "engine",
			message: /^tfjs wasm: the weights and their gradient need .*4 GiB/,
		});
		const backend = await openTfjsBackend({ backend: "wasm", threads: 1 });
		const run = backend.run(() => {
			throw new Error("memory access out of bounds");
		});
		await t.throwsAsync(run, {
			code: "engine",
			message: /^tfjs wasm: a micro-batch's tensors need .*smaller .*--batch/,
		});
	},
);

test.serial("the library prints nothing", (t) => {
	t.deepEqual(printed, []);
});
