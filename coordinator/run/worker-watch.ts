import type { Terminal } from "../terminal/terminal.ts";
import type { WorkersChange } from "./dispatcher.ts";

/** At the start nothing is said of missing workers before those there had time to be heard of. */
const FIRST_WORD_MS = 2000;
const NEXT_WORD_MS = 30_000;

/** Shows who joins and leaves and who has how many shards, and says now and then that nobody is there. */
export class WorkerWatch {
	readonly #shards: number;
	readonly #terminal: Terminal | undefined;
	readonly #present = new Set<string>();
	#reminder: NodeJS.Timeout | undefined;

	constructor(shards: number, terminal: Terminal | undefined) {
		this.#shards = shards;
		this.#terminal = terminal;
		this.#remindAfter(FIRST_WORD_MS);
	}

	get hasWorkers(): boolean {
		return this.#present.size > 0;
	}

	tell(change: WorkersChange): void {
		const { workerId } = change.worker;
		if (change.type === "joined") this.#present.add(workerId);
		else this.#present.delete(workerId);
		this.#terminal?.workers(change, this.#shards);
		clearTimeout(this.#reminder);
		if (!this.hasWorkers) this.#remindAfter(0);
	}

	end(): void {
		clearTimeout(this.#reminder);
	}

	#remindAfter(ms: number): void {
		const remind = () => {
			this.#terminal?.line("no worker is there: waiting for one to join");
			this.#remindAfter(NEXT_WORD_MS);
		};
		this.#reminder = setTimeout(remind, ms).unref();
	}
}
