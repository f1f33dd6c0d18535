import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import type { MetricsLine } from "../../../coordinator/run-folder/result.ts";
import { openTensorBoard } from "../../../coordinator/tracking/tensorboard.ts";
import { trackRuns } from "../../../coordinator/tracking/track-runs.ts";
import { pointsOfLines } from "../../../coordinator/tracking/tracked-points.ts";
import type { Tracker } from "../../../coordinator/tracking/tracker.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { sampleLine, sampleResult } from "../run-folder/sample-run.ts";
import { collectWarnings, config, emitRun } from "./emit-run.ts";
import { readScalars, type ScalarEvent } from "./read-events.ts";

const valuesOf = (scalars: readonly ScalarEvent[], wanted: string) =>
	scalars.filter(({ tag }) => tag === wanted).map(({ step, value }) => [step, Math.fround(value)]);

test("TensorBoard gets each evaluation once, with its step and its time, also if a run is resumed", async (t) => {
	const folder = await temporaryFolder(t);
	const kept = [sampleLine("step", 0), sampleLine("step", 50), sampleLine("epoch", 130)];
	const lost = [sampleLine("step", 150), sampleLine("step", 200)];
	const before = Date.now() / 1000;
	const track = async (emit: (events: RunEvents) => void) => {
		const events = new RunEvents();
		const tracking = trackRuns(events, await openTensorBoard(folder));
		emit(events);
		await tracking.close();
	};
	await track((events) => emitRun(events, [...kept, ...lost]));
	t.is((await readScalars(join(folder, "one"))).at(-1)?.step, 200);
	// Resumed from a checkpoint after step 130, within the same second.
	const again = [...lost, sampleLine("epoch", 260)];
	await track((events) => {
		emitRun(events, again, kept);
		events.emit({ event: "result", folder: "/runs/one", ...sampleResult() });
	});
	const scalars = await readScalars(join(folder, "one"));
	const lines = [...kept, ...again];
	const of = (kind: MetricsLine["kind"], value: (line: MetricsLine) => number) =>
		lines.filter((line) => line.kind === kind).map((line) => [line.step, Math.fround(value(line))]);
	const steps = of("step", (line) => line.validation.loss);
	t.deepEqual(valuesOf(scalars, "loss/validation-few-batches"), steps);
	const epochs = of("epoch", (line) => line.train.macroF1);
	t.deepEqual(valuesOf(scalars, "macro-f1/train"), epochs);
	t.is(valuesOf(scalars, "learning-rate").length, lines.length);
	// 8 texts per step of 0.06 s.
	for (const [, speed = 0] of valuesOf(scalars, "texts-per-second")) t.true(Math.abs(speed - 8 / 0.06) < 1e-3);
	t.deepEqual(valuesOf(scalars, "accuracy/test"), [
		[sampleResult().kept.step, Math.fround(sampleResult().accuracy.test)],
	]);
	t.true(scalars.every(({ wallTime }) => wallTime >= before - 1 && wallTime <= Date.now() / 1000));

	const files = await readdir(join(folder, "one"));
	t.is(files.length, 2);
	const bytes = await Promise.all(files.map((name) => readFile(join(folder, "one", name), "latin1")));
	for (const text of bytes) t.true(text.includes("_hparams_/session_start_info") && text.includes("weight-decay"));
});

test("a resumed run that was not recorded before is recorded from its first evaluation", async (t) => {
	const folder = await temporaryFolder(t);
	const events = new RunEvents();
	const tracking = trackRuns(events, await openTensorBoard(folder), "/");
	emitRun(events, [sampleLine("step", 50)], [sampleLine("step", 0)]);
	await tracking.close();
	const scalars = await readScalars(join(folder, "runs", "one"));
	const times = scalars.filter(({ tag }) => tag === "learning-rate");
	t.deepEqual(
		times.map(({ step }) => step),
		[0, 50],
	);
});

test.serial("a start on a full disk leaves no file, and the next call records the earlier evaluations", async (t) => {
	const folder = await temporaryFolder(t);
	const handle = await open(folder);
	const files = Object.getPrototypeOf(handle);
	await handle.close();
	const { write } = files;
	t.teardown(() => {
		files.write = write;
	});
	const tracker = await openTensorBoard(folder);
	const run = {
		name: "one",
		folder: "/runs/one",
		config,
		earlier: pointsOfLines([sampleLine("step", 0), sampleLine("step", 50)], 1e12),
	};
	files.write = () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
	for (let call = 0; call < 2; call++) {
		await t.throwsAsync(tracker.start(run), { code: "disk" } as object);
		t.deepEqual(await readdir(join(folder, "one")), []);
	}
	files.write = write;
	await tracker.start(run);
	await tracker.end({ outcome: "interrupted" });
	const scalars = await readScalars(join(folder, "one"));
	t.deepEqual(
		scalars.filter(({ tag }) => tag === "learning-rate").map(({ step }) => step),
		[0, 50],
	);
});

/** A tracker that notes its calls, and fails while `isDown`. */
function fakeTracker() {
	const state = { isDown: true, calls: [] as string[], steps: [] as number[] };
	const call = async (name: string, steps: readonly number[] = []) => {
		if (state.isDown) throw new Error("curves.example: no answer");
		state.calls.push(name);
		state.steps.push(...steps);
	};
	const tracker: Tracker = {
		name: "curves",
		start: ({ name }) => call(`start ${name}`),
		log: (points) =>
			call(
				"log",
				points.map(({ step }) => step),
			),
		end: ({ outcome }) => call(outcome),
	};
	return { state, tracker };
}

test("a tracker that is down is reported once; when it answers again, it gets all evaluations in order", async (t) => {
	const events = new RunEvents();
	const warnings = collectWarnings(events);
	const { state, tracker } = fakeTracker();
	const tracking = trackRuns(events, tracker);
	const lines = Array.from({ length: 250 }, (_, step) => sampleLine("step", step));
	emitRun(events, lines);
	await new Promise(setImmediate);
	t.deepEqual(warnings, [
		"curves.example: no answer; the run continues, and evaluations are recorded later if possible",
	]);
	state.isDown = false;
	await tracking.close(new Error("broken"));
	t.deepEqual(state.calls, ["start one", "log", "log", "log", "failed"]);
	t.deepEqual(
		state.steps,
		lines.map(({ step }) => step),
	);
	t.is(warnings.length, 1);
});

test("for a tracker that stays down, the newest 10,000 calls are kept, and the number of the others is reported", async (t) => {
	const events = new RunEvents();
	const warnings = collectWarnings(events);
	const { state, tracker } = fakeTracker();
	const tracking = trackRuns(events, tracker);
	const line = sampleLine("step", 0);
	emitRun(
		events,
		Array.from({ length: 10_500 }, (_, step) => ({ ...line, step })),
	);
	await new Promise(setImmediate);
	state.isDown = false;
	await tracking.close();
	t.is(state.steps.length, 9_999);
	t.is(state.steps.at(-1), 10_499);
	t.deepEqual(warnings.slice(1), ["curves: 501 evaluations weren't recorded"]);
});
