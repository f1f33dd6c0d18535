import type { Bus } from "../../shared/bus/bus.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Hold, Notices } from "../../shared/notices.ts";

export interface IdleShardsParts {
	readonly bus: Bus;
	readonly runId: string;
	readonly clock: Clock;
	readonly notices: Notices;
	/** The shards whose items have been due for so many ms or longer. */
	readonly due: (ms: number) => ReadonlySet<number>;
	/** Id of the worker that holds each shard. */
	readonly holders: () => readonly (string | undefined)[];
	/** Called for a shard that its worker has left alone for too long. */
	readonly onIdle: (shard: number, workerId: string) => void;
	readonly onError: (error: Error) => void;
}

/** A shard loses its worker after so many looks in a row at which nobody had its item. */
const IDLE_LOOKS = 4;

/**
 * Looks at the shards with an item due, twice in each ack wait, whether somebody works on the item. A worker that is slow
 * says that it works; one that never took the item would hold the run up for ever.
 */
export class IdleShards {
	readonly #parts: IdleShardsParts;
	readonly #everyMs: number;
	/** By shard: the looks in a row at which nobody had its item. */
	readonly #idle = new Map<number, { looks: number; readonly hold: Hold }>();
	#isEnded = false;
	#cancel = () => {};

	constructor(parts: IdleShardsParts) {
		this.#parts = parts;
		this.#everyMs = parts.bus.timing.ackWaitMs / 2;
	}

	start(): void {
		if (this.#isEnded) return;
		this.#cancel = this.#parts.clock.schedule(() => {
			this.#lookAtAll()
				.then(() => this.start())
				.catch(this.#parts.onError);
		}, this.#everyMs);
	}

	/** Of a shard that another worker holds from now on. */
	forget(shard: number): void {
		this.#idle.get(shard)?.hold.end();
		this.#idle.delete(shard);
	}

	end(): void {
		this.#isEnded = true;
		this.#cancel();
		for (const shard of [...this.#idle.keys()]) this.forget(shard);
	}

	async #lookAtAll(): Promise<void> {
		const due = this.#parts.due(this.#everyMs);
		for (const shard of [...this.#idle.keys()]) if (!due.has(shard)) this.forget(shard);
		await Promise.all([...due].map((shard) => this.#look(shard)));
	}

	async #look(shard: number): Promise<void> {
		const { bus, runId, notices, holders, due, onIdle } = this.#parts;
		const workerId = holders()[shard];
		if (workerId === undefined) return;
		const isTaken = await bus.isTaken(runId, shard);
		// The question took its time: the shard may have moved or its item may be done.
		if (this.#isEnded || isTaken === undefined || holders()[shard] !== workerId) return;
		if (isTaken || !due(this.#everyMs).has(shard)) {
			this.forget(shard);
			return;
		}
		const idle = this.#idle.get(shard) ?? { looks: 0, hold: notices.hold() };
		this.#idle.set(shard, idle);
		idle.hold.begin("idle-worker", `worker ${workerId} takes no items of shard ${shard}`, 0);
		idle.looks++;
		if (idle.looks < IDLE_LOOKS) return;
		idle.looks = 0;
		onIdle(shard, workerId);
	}
}
