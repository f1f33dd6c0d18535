import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import type { TailSpec } from "../../../../shared/messages.ts";
import type { Gpt2Config } from "../../../../shared/model/gpt2-config.ts";
import type { ModelFiles, StoredType } from "../../../../shared/model/model-files.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { writeRandomModel } from "../../../../shared/model/random-model.ts";
import { writeSafetensors } from "../../../../shared/model/safetensors.ts";
import { plainTail } from "../../../../shared/model/tail-spec.ts";
import type { TrunkPrecision } from "../../../../shared/model/trunk-precision.ts";
import type { Trunk } from "../../../../worker/engine/engine.ts";
import { findExactInt8Weights } from "../../../../worker/engine/onnx/int8-weights.ts";
import { openOnnxTrunk, openTrunkWith } from "../../../../worker/engine/onnx/trunk.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";

// So wide that the kernels' blocks are partly full and partly whole.
const CONFIG: Gpt2Config = {
	n_layer: 2,
	n_embd: 192,
	n_head: 3,
	n_positions: 300,
	vocab_size: 97,
	layer_norm_epsilon: 1e-5,
};

function specOf(spec: Partial<TailSpec> = {}): TailSpec {
	return { ...plainTail("TRAINABLE_HEAD", 2), ...spec };
}

async function randomModel(t: ExecutionContext, config = CONFIG): Promise<ModelFiles> {
	const folder = join(await temporaryFolder(t), "model");
	await writeRandomModel(folder, config, 7);
	return openModel(folder);
}

async function opened(
	t: ExecutionContext,
	model: ModelFiles,
	spec: TailSpec,
	threads: number,
	trunkPrecision?: TrunkPrecision,
) {
	const trunk = await openOnnxTrunk(model, spec, { threads, trunkPrecision });
	t.teardown(() => trunk.dispose());
	return trunk;
}

/** A text of arbitrary tokens. */
function text(length: number, seed = 0): Uint32Array {
	return Uint32Array.from({ length }, (_, i) => ((seed + i) * 7919 + seed) % CONFIG.vocab_size);
}

for (const [causal, precision, activation_function] of [
	[true, "fp32", "gelu_new"],
	[false, "fp32", "gelu"],
	[true, "int8", "relu"],
	[false, "int8", "silu"],
] as const) {
	const setting = `causal ${causal}, ${precision}, ${activation_function}`;
	test(`a text has the same bits alone, in a group and on more threads, ${setting}`, async (t) => {
		// A width that is no multiple of the kernels' blocks.
		const model = await randomModel(t, { ...CONFIG, activation_function, n_inner: 501 });
		const open = (threads: number) => opened(t, model, specOf({ causal }), threads, precision);
		const one = await open(1);
		const others = [await open(2), await open(5), await open(8)];
		let turn = 0;
		const length = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: CONFIG.n_positions }));
		const neighbours = fc.array(length, { maxLength: 4 });
		const property = fc.asyncProperty(length, neighbours, neighbours, fc.nat(1e6), async (own, before, after, seed) => {
			const tokens = text(own, seed);
			// Some of the other texts have the same beginning, and one text is its beginning.
			const other = (n: number) =>
				Uint32Array.of(...(n % 2 ? tokens.subarray(0, n - 1) : []), ...text(n, n)).subarray(0, CONFIG.n_positions);
			const group = [...before.map(other), tokens, tokens.subarray(0, (own >> 1) + 1), ...after.map(other)];
			const [alone] = await one.hiddenStates([tokens]);
			t.deepEqual((await one.hiddenStates(group))[before.length], alone);
			const more = others[turn++ % others.length] as Trunk;
			t.deepEqual((await more.hiddenStates(group))[before.length], alone);
		});
		await fc.assert(property, { numRuns: 25, seed: 1 });
	});
}

test("int8 products are near those of fp32, and features don't depend on how the integers are stored", async (t) => {
	const model = await randomModel(t);
	const spec = specOf();
	const texts = [text(40, 1), text(7, 2)];
	const [exact, near] = [await opened(t, model, spec, 1), await opened(t, model, spec, 1, "int8")];
	const [expected, found] = [await exact.hiddenStates(texts), await near.hiddenStates(texts)];
	const error = Math.sqrt(distance(found, expected) / distance(expected));
	t.true(error > 1e-4 && error < 0.03, `relative error ${error}`);
	// Unsigned weights are exact on every processor, signed ones are not: see int8-weights.test.ts.
	for (const stored of ["uint8", await findExactInt8Weights({ threads: 1 })] as const) {
		const trunk = await openTrunkWith(stored, model, spec, { threads: 2 });
		t.teardown(() => trunk.dispose());
		t.deepEqual(await trunk.hiddenStates(texts), found, stored);
	}
});

test("with causal attention a token's state depends on no later token, otherwise on all tokens", async (t) => {
	const model = await randomModel(t);
	for (const causal of [true, false]) {
		const trunk = await opened(t, model, specOf({ causal }), 1);
		const [long, short] = await trunk.hiddenStates([text(9), text(5)]);
		const start = long?.slice(0, 5 * CONFIG.n_embd);
		if (causal) t.deepEqual(start, short);
		else t.notDeepEqual(start, short);
	}
});

test("each result has its own memory, and no texts give no results", async (t) => {
	const trunk = await opened(t, await randomModel(t), specOf(), 1);
	const states = await trunk.hiddenStates([text(3), text(5)]);
	t.deepEqual(
		states.map(({ buffer }) => buffer.byteLength),
		[3, 5].map((tokens) => tokens * CONFIG.n_embd * 4),
	);
	t.deepEqual(await trunk.hiddenStates([]), []);
});

test("only the blocks before the cut are computed", async (t) => {
	const model = await randomModel(t);
	const [all, first] = [
		await opened(t, model, specOf(), 1),
		await opened(t, model, specOf({ trainable: "TRAINABLE_LAST_BLOCK" }), 1),
	];
	t.notDeepEqual(await first.hiddenStates([text(4)]), await all.hiddenStates([text(4)]));
	const shallow = { ...model, config: { ...CONFIG, n_layer: 1 } };
	t.deepEqual(
		await first.hiddenStates([text(4)]),
		await (await opened(t, shallow, specOf(), 1)).hiddenStates([text(4)]),
	);
});

for (const type of ["F16", "BF16", "F64"] as const) {
	test(`weights stored as ${type} in two files give the states of the same numbers in float32`, async (t) => {
		const stored = await truncateNumbers(t, await randomModel(t), type);
		const widened = await rewriteModel(t, stored, "F32", async (name) => stored.read(name));
		const [expected] = await (await opened(t, widened, specOf(), 1)).hiddenStates([text(20)]);
		const [found] = await (await opened(t, stored, specOf(), 1)).hiddenStates([text(20)]);
		t.true(expected?.some((value) => value !== 0));
		t.deepEqual(found, expected);
	});
}

test("a trunk without blocks is refused", async (t) => {
	const opening = openOnnxTrunk(await randomModel(t), specOf({ trainable: "TRAINABLE_ALL" }), { threads: 1 });
	await t.throwsAsync(opening, { code: "engine", message: /TRAINABLE_ALL/ });
});

test("a token outside of the vocabulary is an error of one line, and the trunk stays usable", async (t) => {
	const trunk = await opened(t, await randomModel(t), specOf(), 1);
	const before = await trunk.hiddenStates([text(2)]);
	const unknown = trunk.hiddenStates([Uint32Array.of(CONFIG.vocab_size)]);
	await t.throwsAsync(unknown, { code: "engine", message: /^ONNX Runtime: [^\n]+$/ });
	t.deepEqual(await trunk.hiddenStates([text(2)]), before);
});

/** Sum of squares of the differences between two lists of states, or of one list alone. */
function distance(states: readonly Float32Array[], from?: readonly Float32Array[]): number {
	const difference = (value: number, text: number, at: number) => value - (from?.[text]?.[at] ?? 0);
	return states.reduce((sum, rows, text) => rows.reduce((own, v, at) => own + difference(v, text, at) ** 2, sum), 0);
}

/** Copies a model, its numbers stored in another type, if necessary truncated. */
function truncateNumbers(t: ExecutionContext, model: ModelFiles, type: "F16" | "BF16" | "F64"): Promise<ModelFiles> {
	return rewriteModel(t, model, type, async (name) => {
		if (type === "F64") return new Uint8Array(Float64Array.from(await model.read(name)).buffer);
		const bits = new Uint32Array((await model.read(name)).buffer);
		const half = (pattern: number) => {
			const exponent = ((pattern >>> 23) & 255) - 112;
			return ((pattern >>> 31) << 15) | (exponent < 1 ? 0 : (exponent << 10) | ((pattern >>> 13) & 0x3ff));
		};
		return new Uint8Array(Uint16Array.from(bits, (p) => (type === "F16" ? half(p) : p >>> 16)).buffer);
	});
}

/** Writes a model of the same shape with other numbers, in two files. */
async function rewriteModel(
	t: ExecutionContext,
	{ tensors }: ModelFiles,
	type: StoredType,
	read: (name: string) => Promise<Float32Array | Uint8Array>,
): Promise<ModelFiles> {
	const folder = await temporaryFolder(t);
	const weight_map: Record<string, string> = {};
	const names = [...tensors.keys()];
	for (const [part, own] of [names.slice(0, 9), names.slice(9)].entries()) {
		const file = `model-${part + 1}-of-2.safetensors`;
		const described = own.map((name) => ({
			name,
			type,
			shape: tensors.get(name)?.shape ?? [],
			data: () => read(name),
		}));
		await writeSafetensors(join(folder, file), described);
		for (const name of own) weight_map[name] = file;
	}
	await writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map }));
	await writeFile(join(folder, "config.json"), JSON.stringify({ model_type: "gpt2", ...CONFIG }));
	return openModel(folder);
}
