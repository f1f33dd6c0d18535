import test from "ava";
import { createTerminal } from "../../../coordinator/terminal/terminal.ts";
import { ProgressReporter } from "../../../coordinator/training/progress-reporter.ts";
import type { RunProgress } from "../../../shared/messages.ts";
import { someProgress } from "../../shared/bus/messages.ts";
import { sampleLine } from "../run-folder/sample-run.ts";
import { FakeStream } from "../terminal/fake-stream.ts";

test("what the terminal shows is told at once and again, one word at a time, and a failure doesn't end it", async (t) => {
	const stream = new FakeStream();
	const told: { progress: RunProgress; settle: (error?: Error) => void }[] = [];
	let wake = () => {};
	const report = (progress: RunProgress) =>
		new Promise<void>((resolve, reject) => {
			told.push({ progress, settle: (error) => (error ? reject(error) : resolve()) });
			wake();
		});
	const nextWord = () =>
		new Promise<void>((resolve) => {
			wake = resolve;
		});
	const first = someProgress({ phase: "start", done: 0, total: 0, unit: "", epoch: 0, validation: null });
	const reporter = new ProgressReporter(createTerminal({ stream, json: true }), first, report);
	t.teardown(() => reporter.end());
	t.deepEqual(told[0]?.progress, first);
	const phase = reporter.terminal.phase("training", 20, "steps", 4);
	phase.advance(3);
	const line = sampleLine("epoch", 130);
	reporter.terminal.epoch(line);
	const keepAlive = setInterval(() => {}, 1000); // the reporter's own timer doesn't
	t.teardown(() => clearInterval(keepAlive));
	told[0]?.settle(new Error("nobody is there"));
	await nextWord();
	const now = { phase: "training", done: 7, total: 20, unit: "steps", epoch: 1, validation: line.validation };
	t.deepEqual(told[1]?.progress, { ...first, ...now });
	t.true(stream.text.includes('"event":"epoch"'));
});
