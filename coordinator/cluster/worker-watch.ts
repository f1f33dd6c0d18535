import type { Hold, Notices } from "../../shared/notices.ts";
import { FIRST_WORKER_MS } from "../deadlines.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { WorkersChange } from "./dispatcher.ts";

/** Emits an event for each worker that joins or leaves, and a notice if there are no workers. */
export class WorkerWatch {
	readonly #shards: number;
	readonly #events: RunEvents | undefined;
	readonly #present = new Set<string>();
	readonly #hold: Hold;

	/** @param shards of the run */
	constructor(shards: number, events: RunEvents | undefined, notices: Notices) {
		this.#shards = shards;
		this.#events = events;
		this.#hold = notices.hold();
		this.#waitForWorkers(FIRST_WORKER_MS);
	}

	report(change: WorkersChange): void {
		const { workerId } = change.worker;
		if (change.type === "joined") this.#present.add(workerId);
		else this.#present.delete(workerId);
		this.#emit(change);
		if (this.#present.size > 0) this.#hold.end();
		else this.#waitForWorkers(0);
	}

	end(): void {
		this.#hold.end();
	}

	#emit(change: WorkersChange): void {
		const { worker, shards } = change;
		const workers = { at: Date.now(), worker, shards: Object.fromEntries(shards), totalShards: this.#shards };
		if (change.type === "joined") {
			this.#events?.emit({ event: "worker-joined", ...workers });
			return;
		}
		const { reason, detail } = change;
		if (reason === "shut-down" || reason === "no-heartbeat")
			this.#events?.emit({ event: "worker-left", ...workers, reason });
		else this.#events?.emit({ event: "worker-suspended", ...workers, reason, detail });
	}

	#waitForWorkers(reportAfterMs: number): void {
		this.#hold.begin("no-workers", "no workers: waiting for one to join", reportAfterMs);
	}
}
