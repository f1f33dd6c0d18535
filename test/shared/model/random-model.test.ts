import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { openModel } from "../../../shared/model/open-model.ts";
import { baseShapes } from "../../../shared/model/parameter-layout.ts";
import { GPT2_SIZES, writeRandomModel } from "../../../shared/model/random-model.ts";
import { sizeOf } from "../../../shared/model/safetensors-header.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { TINY } from "./tiny-model.ts";

const CONFIG = { ...TINY, n_embd: 64, n_layer: 3, vocab_size: 1001 };

test("has the published sizes", (t) => {
	const millions = Object.entries(GPT2_SIZES).map(([size, config]) => {
		const numbers = baseShapes(config).reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
		return [size, Math.round(numbers / 1e6)];
	});
	t.deepEqual(millions, [
		["small", 124],
		["medium", 355],
		["large", 774],
		["xl", 1558],
	]);
});

test("initialises like GPT-2: normal weights, smaller ones for projections to the residual stream, zeros and ones", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	await writeRandomModel(folder, CONFIG, 1);
	const model = await openModel(folder);
	t.deepEqual(model.config, CONFIG);
	for (const name of model.tensors.keys()) {
		const values = await model.read(name);
		if (name.endsWith("bias"))
			t.true(
				values.every((value) => value === 0),
				name,
			);
		else if (name.includes("ln_"))
			t.true(
				values.every((value) => value === 1),
				name,
			);
		else {
			const expected = name.endsWith("c_proj.weight") ? 0.02 / Math.sqrt(6) : 0.02;
			const moment = (power: number) =>
				values.reduce((sum, value) => sum + (value / expected) ** power, 0) / values.length;
			// Four standard errors of the moments of a sample of this size.
			const four = 4 / Math.sqrt(values.length);
			t.true(Math.abs(moment(1)) < four && Math.abs(moment(2) - 1) < four * Math.sqrt(2), name);
			t.true(Math.abs(moment(4) - 3) < four * Math.sqrt(96), name);
		}
	}
});

test("gives the same weights for the same seed and others for another seed, and reports progress", async (t) => {
	const parent = await temporaryFolder(t);
	const reports: [number, number][] = [];
	const hashOf = async (name: string, seed: number) => {
		await writeRandomModel(join(parent, name), CONFIG, seed, (done, total) => reports.push([done, total]));
		return (await openModel(join(parent, name))).hash();
	};
	const first = await hashOf("a", 1);
	const bytes = baseShapes(CONFIG).reduce((sum, [, shape]) => sum + 4 * sizeOf(shape), 0);
	t.deepEqual(reports.at(-1), [bytes, bytes]);
	t.true(reports.every(([done], i) => i === 0 || done >= (reports[i - 1]?.[0] ?? 0)));
	t.is(await hashOf("b", 1), first);
	t.not(await hashOf("c", 2), first);
	t.deepEqual((await readdir(parent)).sort(), ["a", "b", "c"]);
});
