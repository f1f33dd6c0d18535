import test from "ava";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import type { SweepState } from "../../../coordinator/events/sweep-schema.ts";
import { runSweep } from "../../../coordinator/sweep/run-sweep.ts";
import { readSweep } from "../../../coordinator/sweep/sweep-folder.ts";
import type { RunTrial } from "../../../coordinator/sweep/trial-job.ts";
import { LostProcess } from "../../../coordinator/sweep/trial-processes.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { newFolder } from "../../new-folder.ts";
import { sampleSweep } from "./sample-sweep.ts";

/** Runs a new sweep of three trials in which each trial does something else. @param trials by their numbers, from 1 */
async function runTrials(trials: Readonly<Record<number, RunTrial>>) {
	const path = await newFolder();
	const waiting = [1, 2, 3].map((number): SweepState["trials"][number] => {
		const trial = { folder: `trial-${number}`, values: { lr: number / 1000 }, seed: 1 };
		return { ...trial, state: "waiting", score: null, seconds: null };
	});
	const settings = { data: "texts.tsv", model: "demo" };
	const state = {
		...sampleSweep(),
		settings,
		trials: waiting,
		ranking: [],
		metric: null,
		best: null,
		finishedAt: null,
	};
	const begun: number[] = [];
	const runTrial: RunTrial = async (job, hooks) => {
		const number = Number(job.path.at(-1));
		begun.push(number);
		await trials[number]?.(job, hooks);
	};
	const options = { events: new RunEvents(), interrupt: new AbortController().signal, runTrial };
	const outcome = await runSweep({ path, state, close: async () => {} }, options).catch((error: unknown) => error);
	return { outcome, begun, kept: await readSweep(path) };
}

test("if a trial fails, the others that run are stopped, no further one begins, and its error is that of the sweep", async (t) => {
	const failure = new TailtuneError("disk", "the disk is full");
	const { outcome, begun, kept } = await runTrials({
		1: (_, { interrupt, onBegin }) =>
			new Promise((_resolve, reject) => {
				interrupt.addEventListener("abort", () => reject(new TailtuneError("interrupted", "stopped")));
				onBegin(2);
			}),
		2: () => Promise.reject(failure),
	});
	t.is(outcome, failure);
	t.deepEqual(begun, [1, 2]);
	t.true(kept.trials.every(({ state }) => state === "waiting"));
});

test("a trial whose process dies again and again fails", async (t) => {
	const { outcome, begun } = await runTrials({ 1: () => Promise.reject(new LostProcess("engine", "it died")) });
	t.true(outcome instanceof LostProcess);
	t.deepEqual(begun, [1, 1, 1]);
});
