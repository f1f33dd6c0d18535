import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { createTrainingState, readCheckpoint } from "../../../coordinator/training/checkpoint.ts";
import { CheckpointWriter } from "../../../coordinator/training/checkpoint-writer.ts";
import { newFolder } from "../../new-folder.ts";
import { someSchema } from "../../shared/exchange/conformance.ts";

const LENGTH = 1 << 20;
const SHAPE = { size: LENGTH, form: someSchema(LENGTH).form, factorTexts: 0, withBest: true };

function someState() {
	const state = createTrainingState("of a test", new Float32Array(LENGTH).fill(1), SHAPE);
	state.progress.best = { epoch: 1, step: 7, accuracy: 1, balancedAccuracy: 1, macroF1: 1, mcc: null, loss: 0 };
	return state;
}

const states = [
	["copied", undefined],
	["too large to be copied", 0],
] as const;

for (const [what, mostCopiedBytes] of states) {
	test(`a checkpoint has the state of its beginning, although the state changes as soon as allowed: ${what}`, async (t) => {
		const folder = await newFolder();
		const writer = new CheckpointWriter(folder, mostCopiedBytes);
		const state = someState();
		for (const step of [7, 8]) {
			const vectors = [state.parameters, state.firstMoment, state.secondMoment];
			for (const vector of vectors) vector.fill(step);
			state.progress.step = step;
			await writer.begin(state, { audit: [], best: new Float32Array(LENGTH).fill(5) });
			state.progress.step++;
			await writer.waitUntilCopied();
			for (const vector of vectors) vector.fill(2);
			await writer.waitUntilWritten();
			t.deepEqual((await readdir(folder)).sort(), ["best-7.safetensors", "checkpoint.safetensors"]);
			const read = await readCheckpoint(folder, "of a test", SHAPE);
			t.is(read?.progress.step, step);
			for (const vector of [read?.parameters, read?.firstMoment, read?.secondMoment])
				t.true(vector?.every((number) => number === step));
			t.true(read?.best?.every((number) => number === 5));
		}
	});
}

for (const [what, mostCopiedBytes] of states) {
	test(`if a checkpoint can't be written, later waits fail and no other is begun: ${what}`, async (t) => {
		const folder = join(await newFolder(), "run");
		const writer = new CheckpointWriter(folder, mostCopiedBytes);
		const failure = {
			code: "disk",
			message: `${folder}/checkpoint.safetensors: can't be written: the folder doesn't exist`,
		};
		await writer.begin(someState(), { audit: [] });
		// A copy is made before the file is written.
		if (mostCopiedBytes === undefined) await t.throwsAsync(writer.waitUntilWritten(), failure);
		await t.throwsAsync(writer.waitUntilCopied(), failure);
		await mkdir(folder);
		await t.throwsAsync(writer.begin(someState(), { audit: [] }), failure);
		await t.throwsAsync(writer.waitUntilWritten(), failure);
		t.deepEqual(await readdir(folder), []);
	});
}

test("another checkpoint is affordable after 20 times the duration of the previous one", async (t) => {
	let ms = 1000;
	const writer = new CheckpointWriter(await newFolder(), undefined, () => ms);
	t.true(writer.isAffordable);
	await writer.begin(someState(), { audit: [] });
	ms = 1010;
	await writer.waitUntilWritten();
	ms = 1199;
	t.false(writer.isAffordable);
	ms = 1200;
	t.true(writer.isAffordable);
});

test("no checkpoint is written of parameters that aren't finite", async (t) => {
	const folder = await newFolder();
	const writer = new CheckpointWriter(folder);
	const state = someState();
	state.parameters[LENGTH - 1] = Number.NaN;
	await writer.begin(state, { audit: [] });
	await t.throwsAsync(writer.waitUntilWritten(), { code: "diverged" });
	t.deepEqual(await readdir(folder), []);
});
