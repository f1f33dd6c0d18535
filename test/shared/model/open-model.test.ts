import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { openModel } from "../../../shared/model/open-model.ts";
import { baseShapes } from "../../../shared/model/parameter-layout.ts";
import { readSafetensorsFile, type TensorToWrite, writeSafetensors } from "../../../shared/model/safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { TINY, tinyModel } from "./tiny-model.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Rewrites a model's file. @param change returns the tensors that replace a given one */
async function rewrite(folder: string, change: (tensor: TensorToWrite) => TensorToWrite[]): Promise<void> {
	const file = await readSafetensorsFile(join(folder, "model.safetensors"));
	const tensors: TensorToWrite[] = [];
	for (const [name, { shape }] of file.tensors) tensors.push(...change({ name, shape, data: await file.read(name) }));
	await writeSafetensors(join(folder, "model.safetensors"), tensors);
}

async function changeConfig(folder: string, change: object): Promise<void> {
	const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
	await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, ...change }));
}

for (const [key, found] of [
	["n_layer", /config\.json: n_layer: found 1000000000, expected at most \d+, the blocks in its weights$/],
	["n_embd", /tensor "wte\.weight": found \[\d+,\d+\], expected \[\d+,1000000000\]$/],
	["n_positions", /tensor "wpe\.weight": found \[\d+,\d+\], expected \[1000000000,\d+\]$/],
	["vocab_size", /tensor "wte\.weight": found \[\d+,\d+\], expected \[1000000000,\d+\]$/],
] as const) {
	test(`refuses a ${key} of a billion before anything is allocated`, async (t) => {
		const folder = await tinyModel(t);
		await changeConfig(folder, { [key]: 1e9, ...(key === "n_embd" && { n_inner: null }) });
		await t.throwsAsync(openModel(folder), { code: "model", message: found });
	});
}

test("opens the golden model and the demo model, whose tensors are finite", async (t) => {
	const golden = await openModel(path("../../golden"));
	t.like(golden.config, { n_layer: 3, n_embd: 48, n_head: 4, n_positions: 48, vocab_size: 257 });
	t.is(golden.tensors.size, 40);
	await golden.checkFinite();
	const demo = await openModel(path("../../../coordinator/base-model/demo-model"));
	t.like(demo.config, { n_layer: 4, n_embd: 96, n_head: 4, n_positions: 256, vocab_size: 50257 });
	t.is(demo.tensors.get("wte.weight")?.type, "F16");
	t.is((await demo.read("wpe.weight")).length, 256 * 96);
	await demo.checkFinite();
});

test("accepts names with prefixes, keeps a head, and ignores masks and a tied output", async (t) => {
	const folder = await tinyModel(t);
	const plain = await openModel(folder);
	const expected = await plain.hash();
	await rewrite(folder, (tensor) => [
		{ ...tensor, name: `module.transformer.${tensor.name}` },
		...(tensor.name !== "ln_f.bias"
			? []
			: [
					{ name: "module.lm_head.weight", shape: [3], data: new Float32Array(3) },
					{ name: "module.transformer.h.0.attn.bias", shape: [2], data: new Float32Array(2) },
				]),
	]);
	const prefixed = await openModel(folder);
	t.deepEqual(
		[...prefixed.tensors.keys()].sort(),
		baseShapes(TINY)
			.map(([name]) => name)
			.sort(),
	);
	t.is(await prefixed.hash(), expected);
	const head = { name: "score.weight", shape: [3, TINY.n_embd], data: new Float32Array(3 * TINY.n_embd) };
	await rewrite(folder, (tensor) => (tensor.name.endsWith("ln_f.bias") ? [tensor, head] : [tensor]));
	t.deepEqual((await openModel(folder)).tensors.get("score.weight")?.shape, [3, TINY.n_embd]);
});

test("names a head's classes by id2label, in the order of their ids, if all names differ", async (t) => {
	const folder = await tinyModel(t);
	const labelsWith = async (id2label: unknown) => {
		await changeConfig(folder, { id2label });
		return (await openModel(folder)).labels;
	};
	t.is(await labelsWith({ 0: "a", 1: "b", 2: "c" }), undefined, "no head");
	const head = { name: "score.weight", shape: [3, TINY.n_embd], data: new Float32Array(3 * TINY.n_embd) };
	await rewrite(folder, (tensor) => (tensor.name === "ln_f.bias" ? [tensor, head] : [tensor]));
	t.deepEqual(await labelsWith({ 2: "c", 0: "a", 1: "b" }), ["a", "b", "c"]);
	const unusable = [
		{ 0: "a", 1: "b" },
		{ 0: "a", 1: "b", 3: "c" },
		{ 0: "a", 1: "b", 2: "a" },
		{ 0: 1, 1: 2, 2: 3 },
	];
	for (const id2label of [...unusable, ["a", 2], 5, null, undefined]) t.is(await labelsWith(id2label), undefined);
});

test("opens shards listed in an index, also through links, with the same hash as a single file", async (t) => {
	const folder = await tinyModel(t);
	const whole = await openModel(folder);
	const shards: [string, string[]][] = [
		["model-1.safetensors", [...whole.tensors.keys()].slice(0, 5)],
		["model-2.safetensors", [...whole.tensors.keys()].slice(5)],
	];
	const linked = join(await temporaryFolder(t), "linked");
	await mkdir(linked);
	await symlink(join(folder, "config.json"), join(linked, "config.json"));
	for (const [shard, names] of shards) {
		const tensors = names.map((name) => ({
			name,
			shape: whole.tensors.get(name)?.shape ?? [],
			data: () => whole.read(name),
		}));
		await writeSafetensors(join(folder, shard), tensors);
		await symlink(join(folder, shard), join(linked, shard));
	}
	const weight_map = Object.fromEntries(shards.flatMap(([shard, names]) => names.map((name) => [name, shard])));
	await writeFile(join(linked, "model.safetensors.index.json"), JSON.stringify({ weight_map }));
	const sharded = await openModel(linked);
	t.is(await sharded.hash(), await whole.hash());
	t.is(sharded.tensors.get("wte.weight")?.file, join(whole.folder, "model-1.safetensors"));
	await rm(join(folder, "model-2.safetensors"));
	await t.throwsAsync(openModel(linked), { code: "not-found", message: /model-2\.safetensors: no such file/ });
	const stray = { weight_map: { "wte.weight": "../../model-1.safetensors" } };
	await writeFile(join(linked, "model.safetensors.index.json"), JSON.stringify(stray));
	await t.throwsAsync(openModel(linked), { code: "model", message: /found shard "\.\.\/\.\.\/model-1/ });
});

test("refuses a missing, misshapen, duplicate or integer tensor, naming it", async (t) => {
	const change = async (changed: (tensor: TensorToWrite) => TensorToWrite[]) => {
		const folder = await tinyModel(t);
		await rewrite(folder, (tensor) => (tensor.name === "h.1.ln_2.bias" ? changed(tensor) : [tensor]));
		return openModel(folder);
	};
	const named = (rest: string) => ({ code: "model", message: new RegExp(`tensor "h\\.1\\.ln_2\\.bias": ${rest}`) });
	await t.throwsAsync(
		change(() => []),
		named("missing, expected \\[8\\]"),
	);
	await t.throwsAsync(
		change((tensor) => [{ ...tensor, shape: [2, 4] }]),
		named("found \\[2,4\\], expected \\[8\\]"),
	);
	await t.throwsAsync(
		change((tensor) => [tensor, { ...tensor, name: `transformer.${tensor.name}` }]),
		named("found twice"),
	);
	const wide = { shape: [8], type: "I32" as "F32", data: new Uint8Array(32) };
	await t.throwsAsync(
		change(({ name }) => [{ name, ...wide }]),
		named("found type I32"),
	);
});

for (const [value, type] of [
	[Number.NaN, "F32"],
	[Number.NEGATIVE_INFINITY, "F32"],
	[0x7e01, "F16"],
	[0xff80, "BF16"],
	[1e39, "F64"],
] as const) {
	test(`finds a weight that is ${value} in ${type}, naming the tensor`, async (t) => {
		const folder = await tinyModel(t);
		await rewrite(folder, (tensor) => {
			const numbers = new (type === "F64" ? Float64Array : type === "F32" ? Float32Array : Uint16Array)(8);
			numbers[7] = value;
			const bytes = new Uint8Array(numbers.buffer);
			return [tensor.name === "h.0.ln_1.bias" ? { ...tensor, type, data: bytes } : tensor];
		});
		const model = await openModel(folder);
		await t.throwsAsync(model.checkFinite(), { code: "model", message: /tensor "h\.0\.ln_1\.bias": found NaN or/ });
	});
}

test("the hash depends on every number, but not on the order in the file or the file's name", async (t) => {
	const folder = await tinyModel(t);
	const before = await (await openModel(folder)).hash();
	const reversed: TensorToWrite[] = [];
	await rewrite(folder, (tensor) => {
		reversed.unshift(tensor);
		return [];
	});
	await writeSafetensors(join(folder, "model.safetensors"), reversed);
	t.is(await (await openModel(folder)).hash(), before);
	await rewrite(folder, (tensor) => {
		if (tensor.name === "ln_f.bias") (tensor.data as Float32Array)[3] = 1e-3;
		return [tensor];
	});
	const after = await (await openModel(folder)).hash();
	t.not(after, before);
	t.regex(after, /^[0-9a-f]{64}$/);
});

test("the hash depends on each setting of the configuration that changes results, but not on names of equal ones", async (t) => {
	const folder = await tinyModel(t);
	const hashWith = async (change: object) => {
		await changeConfig(folder, { ...VARIANT_DEFAULTS, ...change });
		return (await openModel(folder)).hash();
	};
	const plain = await hashWith({});
	const others = [
		{ n_head: 4 },
		{ layer_norm_epsilon: 1e-6 },
		{ activation_function: "relu" },
		{ scale_attn_weights: false },
		{ scale_attn_by_inverse_layer_idx: true },
	];
	const hashes = [plain];
	for (const change of others) hashes.push(await hashWith(change));
	t.is(new Set(hashes).size, others.length + 1);
	for (const equal of [{ activation_function: "gelu_fast" }, { n_inner: 32 }, { reorder_and_upcast_attn: true }])
		t.is(await hashWith(equal), plain);
});

const VARIANT_DEFAULTS = {
	...{ n_head: TINY.n_head, layer_norm_epsilon: TINY.layer_norm_epsilon, activation_function: "gelu_new" },
	...{ n_inner: null, scale_attn_weights: true, scale_attn_by_inverse_layer_idx: false },
	reorder_and_upcast_attn: false,
};

test("uses defaults for missing fields of a configuration, and accepts n_ctx for n_positions", async (t) => {
	const folder = await tinyModel(t);
	const { n_positions, layer_norm_epsilon: _, ...rest } = TINY;
	const config = {
		model_type: "gpt2",
		...rest,
		n_ctx: n_positions,
		activation_function: "gelu_pytorch_tanh",
		n_inner: null,
	};
	await writeFile(join(folder, "config.json"), JSON.stringify(config));
	t.deepEqual((await openModel(folder)).config, TINY);
});

const UNUSABLE: [change: object, message: RegExp][] = [
	[{ model_type: "llama" }, /config\.json: model_type: .*"gpt2"/],
	[
		{ activation_function: "mish" },
		/activation_function: found "mish", expected one of gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu, silu$/,
	],
	[{ scale_attn_weights: "no" }, /scale_attn_weights: found "no", expected true or false$/],
	[{ add_cross_attention: true }, /add_cross_attention: found true, expected false$/],
	[{ n_layer: 0 }, /n_layer: /],
	[{ n_head: 3 }, /n_embd: found 8, expected a multiple of n_head \(3\)/],
	[{ n_inner: 0 }, /n_inner: found 0, expected at least 1$/],
	[{ n_inner: 5 }, /tensor "h\.0\.mlp\.c_fc\.weight": found \[8,32\], expected \[8,5\]$/],
];

for (const [change, message] of UNUSABLE) {
	test(`refuses a configuration with ${JSON.stringify(change)}`, async (t) => {
		const folder = await tinyModel(t);
		await changeConfig(folder, change);
		await t.throwsAsync(openModel(folder), { code: "model", message });
	});
}

test("names the file that is missing or isn't JSON", async (t) => {
	const folder = await tinyModel(t);
	await rename(join(folder, "model.safetensors"), join(folder, "pytorch_model.bin"));
	await t.throwsAsync(openModel(folder), {
		code: "model",
		message:
			/tiny: found pytorch_model\.bin, expected model\.safetensors; to convert it, run .*: python -c "import [^\n]+"$/,
	});
	await rename(join(folder, "pytorch_model.bin"), join(folder, "tf_model.h5"));
	await t.throwsAsync(openModel(folder), { code: "not-found", message: /found neither model\.safetensors nor/ });
	await writeFile(join(folder, "config.json"), "{");
	await t.throwsAsync(openModel(folder), { code: "model", message: /config\.json: not JSON/ });
	await rm(join(folder, "config.json"));
	await t.throwsAsync(openModel(folder), { code: "not-found", message: /config\.json: no such file/ });
	await t.throwsAsync(openModel(join(folder, "none")), { code: "not-found", message: /none: no such folder/ });
	t.deepEqual(await readdir(folder), ["tf_model.h5"]);
});
