import { TailtuneError } from "../../shared/errors.ts";
import { type WorkerEnd, WorkerProcess } from "../../shared/processes/worker-process.ts";

/** So many of a run's worker processes may die, for each that there should be, before the run gives up. */
const DEATHS_EACH = 3;

/** A worker that was asked to end has so long for the item in hand. */
const FAREWELL_MS = 5000;

export interface WorkerProcessesOptions {
	readonly count: number;
	/** What follows `tailtune worker`. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Told of a worker that died and is started again. */
	readonly tell: (line: string) => void;
	/** Told when too many have died; no more are started then. */
	readonly fail: (error: Error) => void;
}

/** A run's own workers, as processes on this machine; one that dies is started again. */
export class WorkerProcesses {
	readonly #options: WorkerProcessesOptions;
	readonly #running = new Set<WorkerProcess>();
	#deaths = 0;
	#isEnding = false;

	constructor(options: WorkerProcessesOptions) {
		this.#options = options;
		for (let i = 0; i < options.count; i++) this.#start();
	}

	/** Asks all to end and waits until they have. */
	async end(): Promise<void> {
		this.#isEnding = true;
		await Promise.all([...this.#running].map((worker) => worker.end(FAREWELL_MS)));
	}

	#start(): void {
		const worker = new WorkerProcess(this.#options);
		this.#running.add(worker);
		worker.ended.then((end) => this.#ended(worker, end)).catch(this.#options.fail);
	}

	#ended(worker: WorkerProcess, { how }: WorkerEnd): void {
		this.#running.delete(worker);
		if (this.#isEnding) return;
		this.#deaths++;
		const { count, tell, fail } = this.#options;
		if (this.#deaths > count * DEATHS_EACH) {
			this.#isEnding = true;
			fail(new TailtuneError("engine", `${this.#deaths} worker processes died, the last one with ${how}`));
		} else {
			tell(`a worker process died with ${how}; starting another`);
			this.#start();
		}
	}
}
