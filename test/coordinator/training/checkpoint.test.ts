import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import {
	createTrainingState,
	readCheckpoint,
	writeBest,
	writeCheckpoint,
} from "../../../coordinator/training/checkpoint.ts";
import { CheckpointWriter } from "../../../coordinator/training/checkpoint-writer.ts";
import { writeChecked } from "../../../shared/model/checked-safetensors.ts";
import { flipBits } from "../../flip-bits.ts";
import { newFolder } from "../../new-folder.ts";
import { someSchema } from "../../shared/exchange/conformance.ts";

const SHAPE = { size: 6, form: someSchema(4).form, factorTexts: 0, withBest: true };
const HINT = "; put back a copy of it, or start a new run";

function someState() {
	const state = createTrainingState("of a test", Float32Array.from([1, 2, 3, 4, 5, 6]), SHAPE);
	state.firstMoment.fill(7);
	state.secondMoment.fill(8);
	state.progress.step = 12;
	state.progress.best = { epoch: 1, step: 7, accuracy: 0.5, balancedAccuracy: 0.5, macroF1: 0.5, mcc: null, loss: 1 };
	return state;
}

async function savedRun(): Promise<string> {
	const folder = await newFolder();
	await writeBest(folder, 7, Float32Array.from([6, 5, 4, 3, 2, 1]));
	await writeCheckpoint(folder, someState(), []);
	return folder;
}

const read = (folder: string) => readCheckpoint(folder, "of a test", SHAPE);

test("a checkpoint is read back completely, with the weights of the best epoch", async (t) => {
	const state = await read(await savedRun());
	const { parameters, firstMoment, secondMoment, progress } = someState();
	t.like(state, { progress, best: Float32Array.from([6, 5, 4, 3, 2, 1]) });
	for (const [found, expected] of [
		[state?.parameters, parameters],
		[state?.firstMoment, firstMoment],
		[state?.secondMoment, secondMoment],
	])
		t.deepEqual([...(found ?? [])], [...(expected ?? [])]);
});

for (const name of ["checkpoint.safetensors", "best-7.safetensors"]) {
	test(`any flipped bit in ${name} is an error with the file's name and advice`, async (t) => {
		const folder = await savedRun();
		const path = join(folder, name);
		const check = (outcome: string) => {
			const isRefused = outcome.startsWith(`TailtuneError: ${path}: `) && outcome.endsWith(HINT);
			if (!isRefused || outcome.includes("\n")) t.fail(outcome);
		};
		await flipBits(path, () => read(folder), check, { numRuns: 150 });
		t.pass();
	});
}

test("missing best weights are an error; the last weights don't replace them", async (t) => {
	const folder = await savedRun();
	await rm(join(folder, "best-7.safetensors"));
	const message = `${folder}/best-7.safetensors: no such file or folder${HINT}`;
	await t.throwsAsync(read(folder), { code: "not-found", message });
});

test("a run that keeps its last weights doesn't need those of the best epoch", async (t) => {
	const folder = await savedRun();
	await rm(join(folder, "best-7.safetensors"));
	const state = await readCheckpoint(folder, "of a test", { ...SHAPE, withBest: false });
	t.is(state?.best, undefined);
});

test("the best weights of a checkpoint are kept until the next checkpoint is complete", async (t) => {
	const folder = await savedRun();
	// As after a kill between the two files of a checkpoint.
	await writeBest(folder, 20, new Float32Array(6));
	t.deepEqual((await read(folder))?.best, Float32Array.from([6, 5, 4, 3, 2, 1]));
	const state = someState();
	state.progress.best = {
		epoch: 2,
		step: 24,
		accuracy: 0.75,
		balancedAccuracy: 0.75,
		macroF1: 0.75,
		mcc: null,
		loss: 1,
	};
	const writer = new CheckpointWriter(folder);
	await writer.begin(state, { audit: [], best: new Float32Array(6).fill(2) });
	await writer.waitUntilWritten();
	t.deepEqual((await readdir(folder)).sort(), ["best-24.safetensors", "checkpoint.safetensors"]);
	t.deepEqual((await read(folder))?.best, new Float32Array(6).fill(2));
});

test("a checkpoint of another shape or without a run's progress is refused", async (t) => {
	const folder = await savedRun();
	const file = join(folder, "checkpoint.safetensors");
	await t.throwsAsync(readCheckpoint(folder, "of a test", { ...SHAPE, size: 7 }), {
		code: "model",
		message: `${file}: "parameters": found 6 numbers, expected 7${HINT}`,
	});
	await writeChecked(file, { parameters: new Float32Array(6) }, { progress: '{"step":1}' });
	await t.throwsAsync(read(folder), { code: "model", message: `${file}: found no progress of a run in it${HINT}` });
});
