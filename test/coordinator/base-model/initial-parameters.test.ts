import { join } from "node:path";
import test from "ava";
import { readInitialParameters } from "../../../coordinator/base-model/initial-parameters.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { parameterLayout, parameterViews } from "../../../shared/model/parameter-layout.ts";
import { type TensorToWrite, writeSafetensors } from "../../../shared/model/safetensors.ts";
import { TRAINABLE_BY_NAME, type TrainableName } from "../../../shared/model/tail-spec.ts";
import { TINY, tinyModel } from "../../shared/model/tiny-model.ts";

const specOf = (trainable: TrainableName, classes = 2) => ({
	trainable: TRAINABLE_BY_NAME[trainable],
	classes,
	causal: true,
	loraRank: 4,
	loraScale: 1,
	loss: null,
});

/** The initial parameters by name. */
async function viewsOf(folder: string, trainable: TrainableName, seed: number, classes = 2, rows?: readonly number[]) {
	const spec = specOf(trainable, classes);
	const vector = await readInitialParameters(await openModel(folder), spec, seed, rows);
	return parameterViews(parameterLayout(spec, TINY), vector);
}

test("reads every base tensor from the model", async (t) => {
	const folder = await tinyModel(t);
	const model = await openModel(folder);
	const views = await viewsOf(folder, "all", 1);
	for (const name of model.tensors.keys()) t.deepEqual(views.get(name), await model.read(name), name);
	t.is(views.size, model.tensors.size + 2);
});

test("initializes the head uniformly within 1 / sqrt(width), the same whatever else is trained, different for another seed", async (t) => {
	const folder = await tinyModel(t);
	const views = await viewsOf(folder, "head", 1, 500);
	const weight = views.get("score.weight") as Float32Array;
	const bound = 1 / Math.sqrt(TINY.n_embd);
	t.true(weight.every((value) => Math.abs(value) <= bound));
	t.true(Math.max(...weight) > 0.99 * bound && Math.min(...weight) < -0.99 * bound);
	const mean = weight.reduce((sum, value) => sum + value, 0) / weight.length;
	const variance = weight.reduce((sum, value) => sum + value ** 2, 0) / weight.length;
	t.true(Math.abs(mean) < 0.05 * bound && Math.abs(variance / (bound ** 2 / 3) - 1) < 0.05);
	const bias = views.get("score.bias") as Float32Array;
	t.true(bias.every((value) => Math.abs(value) <= bound && value !== 0));
	t.deepEqual((await viewsOf(folder, "lora", 1, 500)).get("score.weight"), weight);
	t.notDeepEqual((await viewsOf(folder, "head", 2, 500)).get("score.weight"), weight);
});

test("initializes LoRA's A within 1 / sqrt(rank), differently for each pair, and B with zeros", async (t) => {
	const views = await viewsOf(await tinyModel(t), "lora-only", 1);
	const firsts = new Set<number>();
	for (const [name, values] of views) {
		if (name.endsWith("lora_B"))
			t.true(
				values.every((value) => value === 0),
				name,
			);
		if (!name.endsWith("lora_A")) continue;
		t.true(
			values.every((value) => Math.abs(value) <= 0.5 && value !== 0),
			name,
		);
		firsts.add(values[0] as number);
	}
	t.is(firsts.size, 2 * 6 + 1);
});

test("copies the given rows of the model's head, in that order; a missing bias is zero", async (t) => {
	const folder = await tinyModel(t);
	const model = await openModel(folder);
	const weight = Float32Array.from({ length: 3 * TINY.n_embd }, (_, i) => i);
	const base: TensorToWrite[] = [];
	for (const [name, { shape }] of model.tensors) base.push({ name, shape, data: await model.read(name) });
	const head = { name: "score.weight", shape: [3, TINY.n_embd], data: weight };
	const bias = { name: "score.bias", shape: [3], data: new Float32Array([1, 2, 3]) };
	await writeSafetensors(join(folder, "model.safetensors"), [...base, head]);
	const kept = await viewsOf(folder, "last-block", 1, 3, [0, 1, 2]);
	t.deepEqual(kept.get("score.weight"), weight);
	t.deepEqual(kept.get("score.bias"), new Float32Array(3));
	const row = (index: number) => [...weight.slice(index * TINY.n_embd, (index + 1) * TINY.n_embd)];
	const permuted = (await viewsOf(folder, "lora", 1, 3, [2, 0, 1])).get("score.weight");
	t.deepEqual([...(permuted ?? [])], [...row(2), ...row(0), ...row(1)]);
	t.notDeepEqual((await viewsOf(folder, "last-block", 1, 3)).get("score.weight"), weight);
	await writeSafetensors(join(folder, "model.safetensors"), [...base, head, bias]);
	const moved = (await viewsOf(folder, "head", 1, 3, [1, 2, 0])).get("score.bias");
	t.deepEqual([...(moved ?? [])], [2, 3, 1]);
});
