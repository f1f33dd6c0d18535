import type { Hold, Notices } from "../../shared/notices.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { WorkersChange } from "./dispatcher.ts";

/** At the start workers that are there need some time to be heard of. */
const FIRST_WORKER_MS = 2000;

/** Shows which workers join and leave and how many shards each has, and reports if there is none. */
export class WorkerWatch {
	readonly #shards: number;
	readonly #terminal: Terminal | undefined;
	readonly #present = new Set<string>();
	readonly #hold: Hold;

	constructor(shards: number, terminal: Terminal | undefined, notices: Notices) {
		this.#shards = shards;
		this.#terminal = terminal;
		this.#hold = notices.hold();
		this.#waitForWorkers(FIRST_WORKER_MS);
	}

	tell(change: WorkersChange): void {
		const { workerId } = change.worker;
		if (change.type === "joined") this.#present.add(workerId);
		else this.#present.delete(workerId);
		this.#terminal?.workers(change, this.#shards);
		if (this.#present.size > 0) this.#hold.end();
		else this.#waitForWorkers(0);
	}

	end(): void {
		this.#hold.end();
	}

	#waitForWorkers(reportAfterMs: number): void {
		this.#hold.begin("no-workers", "no worker is there: waiting for one to join", reportAfterMs);
	}
}
