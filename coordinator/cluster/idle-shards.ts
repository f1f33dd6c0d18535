import type { Bus } from "../../shared/bus/bus.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Hold, Notices } from "../../shared/notices.ts";

export interface IdleShardsParts {
	readonly bus: Bus;
	readonly runId: string;
	readonly clock: Clock;
	readonly notices: Notices;
	/** Returns the shards with an item that its worker could have begun at least `ms` milliseconds ago. */
	readonly due: (ms: number) => ReadonlySet<number>;
	/** Returns the id of each shard's worker. */
	readonly holders: () => readonly (string | undefined)[];
	/** Called for a shard whose worker has taken no item for too long. */
	readonly onIdle: (shard: number, workerId: string) => void;
	readonly onError: (error: Error) => void;
}

/** A worker loses a shard after this number of checks in a row that find its item not taken. */
const IDLE_CHECKS = 4;

/**
 * Checks, twice per ack wait, whether workers have taken the items that are due. A slow worker sends heartbeats for its
 * item; a worker that never takes it would hold up the run forever.
 */
export class IdleShards {
	readonly #parts: IdleShardsParts;
	readonly #everyMs: number;
	/** By shard: the number of checks in a row that found its item not taken. */
	readonly #idle = new Map<number, { checks: number; readonly hold: Hold }>();
	#isEnded = false;
	#cancel = () => {};

	constructor(parts: IdleShardsParts) {
		this.#parts = parts;
		this.#everyMs = parts.bus.timing.ackWaitMs / 2;
	}

	start(): void {
		if (this.#isEnded) return;
		this.#cancel = this.#parts.clock.schedule(() => {
			this.#checkAll()
				.then(() => this.start())
				.catch(this.#parts.onError);
		}, this.#everyMs);
	}

	/** Forgets the checks of a shard, because another worker has it now. */
	forget(shard: number): void {
		this.#idle.get(shard)?.hold.end();
		this.#idle.delete(shard);
	}

	end(): void {
		this.#isEnded = true;
		this.#cancel();
		for (const shard of [...this.#idle.keys()]) this.forget(shard);
	}

	async #checkAll(): Promise<void> {
		const due = this.#parts.due(this.#everyMs);
		for (const shard of [...this.#idle.keys()]) if (!due.has(shard)) this.forget(shard);
		await Promise.all([...due].map((shard) => this.#check(shard)));
	}

	async #check(shard: number): Promise<void> {
		const { bus, runId, notices, holders, due, onIdle } = this.#parts;
		const workerId = holders()[shard];
		if (workerId === undefined) return;
		const isTaken = await bus.isTaken(runId, shard);
		// Meanwhile the shard may have moved, or its item may have been answered.
		if (this.#isEnded || isTaken === undefined || holders()[shard] !== workerId) return;
		if (isTaken || !due(this.#everyMs).has(shard)) {
			this.forget(shard);
			return;
		}
		const idle = this.#idle.get(shard) ?? { checks: 0, hold: notices.hold() };
		this.#idle.set(shard, idle);
		idle.hold.begin("idle-worker", `worker ${workerId} takes no items of shard ${shard}`, 0);
		idle.checks++;
		if (idle.checks < IDLE_CHECKS) return;
		idle.checks = 0;
		onIdle(shard, workerId);
	}
}
