import test from "ava";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { ProgressPublisher } from "../../../coordinator/training/progress-publisher.ts";
import type { RunProgress } from "../../../shared/messages.ts";
import { Notices } from "../../../shared/notices.ts";
import { someProgress, someWorker } from "../../shared/bus/messages.ts";
import { sampleLine } from "../run-folder/sample-run.ts";

test("progress is published at once and repeatedly, one report at a time, also after a failure", async (t) => {
	const published: { progress: RunProgress; settle: (error?: Error) => void }[] = [];
	let wake = () => {};
	const report = (progress: RunProgress) =>
		new Promise<void>((resolve, reject) => {
			published.push({ progress, settle: (error) => (error ? reject(error) : resolve()) });
			wake();
		});
	const nextReport = () =>
		new Promise<void>((resolve) => {
			wake = resolve;
		});
	const workers = [
		{ workerId: "vm-2", state: "computing", speed: 1.5, texts: 16 },
		{ workerId: "vm-1", state: "left", speed: 0.5, texts: 8 },
	];
	const first = someProgress({ phase: "start", done: 0, total: 0, unit: "", epoch: 0, validation: null, workers });
	const clock = { ms: 0 };
	const events = new RunEvents(() => clock.ms);
	const notices = new Notices();
	const activity = { shards: [0], computingSeconds: 1, answers: 2, trunkTexts: 8 };
	const left = { worker: someWorker("vm-1"), state: "left", speed: 0.5, texts: 8, ...activity } as const;
	const present = { worker: someWorker("vm-2"), state: "computing", speed: 1.5, texts: 16, ...activity } as const;
	const dispatcher = { listActivity: () => [left, present] };
	const publisher = new ProgressPublisher(events, first, { report, notices, dispatcher });
	t.teardown(() => publisher.end());
	t.deepEqual(published[0]?.progress, first);
	const phase = events.phase("training", 20, "steps", 4);
	clock.ms = 8000;
	phase.advance(3);
	events.phase("evaluation", 5, "texts").done();
	phase.advance(1);
	const line = sampleLine("epoch", 130);
	events.emit({ event: "epoch", ...line });
	events.emit({ event: "step", ...sampleLine("step", 150) });
	const hold = notices.hold();
	hold.begin("no-workers", "no worker is there", 0);
	const keepAlive = setInterval(() => {}, 1000); // the publisher's timer doesn't keep the process running
	t.teardown(() => clearInterval(keepAlive));
	published[0]?.settle(new Error("no connection"));
	await nextReport();
	const training = { phase: "training", done: 8, total: 20, unit: "steps", secondsLeft: 24 };
	const now = { ...first, ...training, epoch: 1, validation: line.validation };
	t.deepEqual(published[1]?.progress, { ...now, notices: ["no worker is there"] });
	hold.end();
	published[1]?.settle();
	await nextReport();
	t.deepEqual(published[2]?.progress, now);
});
