import type { WorkerState } from "../../../coordinator/events/detailed-events.ts";
import type { RunEvents } from "../../../coordinator/events/run-events.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { someWorker } from "../../shared/bus/messages.ts";
import { sampleLine } from "../run-folder/sample-run.ts";

/** Emits the begin of a run. */
export function emitStart(events: RunEvents, folder = "/runs/spam-filter"): void {
	const config = { ...defaultConfig(), data: "/data/sms.tsv", lr: 0.001, name: "spam filter" };
	events.emitDetail({ event: "run-started", folder, config, metrics: [sampleLine("step", 0)] });
}

/** Emits a training step, with a loss that falls. */
export function emitStep(events: RunEvents, step: number): void {
	const loss = 0.05 + Math.exp(-step / 100);
	events.emitDetail({ event: "training-step", step, examplesSeen: step * 8, seconds: step * 0.06, loss });
}

/** Emits what workers do, each computing half of the time. */
export function emitWorkers(events: RunEvents, seconds: number, states: Readonly<Record<string, WorkerState>>): void {
	const workers = Object.entries(states).map(([id, state], i) => ({
		...{ worker: someWorker(id), state, shards: state === "computing" ? [i] : [], speed: 1 - i / 10 },
		...{ computingSeconds: seconds / 2, answers: seconds, texts: seconds * 8, trunkTexts: seconds * 2 },
	}));
	events.emitDetail({ event: "workers-now", seconds, workers, bytes: seconds * 3072 });
}
