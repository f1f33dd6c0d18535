import type { WorkerInfo } from "../../shared/messages.ts";
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
	/** Those that workers had so far, in words. */
	readonly #engines = new Set<string>();
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
		if (change.type === "joined") this.#compareEngines(change.worker);
		if (this.#present.size > 0) this.#hold.end();
		else this.#waitForWorkers(0);
	}

	end(): void {
		this.#hold.end();
	}

	/** The same bits whoever computes: that holds for the same engine in the same version. */
	#compareEngines({ trunkEngine, tailEngine, version }: WorkerInfo): void {
		const engine = `${trunkEngine === tailEngine ? trunkEngine : `${trunkEngine} and ${tailEngine}`} (${version})`;
		if (this.#engines.has(engine)) return;
		this.#engines.add(engine);
		if (this.#engines.size === 1) return;
		const why = "their numbers differ in the last digits, so the result depends on which worker computes what";
		this.#terminal?.warn(`workers compute with different engines, ${[...this.#engines].join("; ")}: ${why}`);
	}

	#waitForWorkers(reportAfterMs: number): void {
		this.#hold.begin("no-workers", "no worker is there: waiting for one to join", reportAfterMs);
	}
}
