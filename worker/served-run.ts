import type { Bus, Delivery } from "../shared/bus/bus.ts";
import type { Clock } from "../shared/bus/clock.ts";
import type { RunSpec, WorkItem, WorkResult } from "../shared/messages.ts";
import { SIGNS_PER_TIMEOUT } from "./config.ts";
import { repeatEvery } from "./repeat-every.ts";
import { failureResult } from "./results.ts";
import type { Session } from "./session.ts";

/** What a run needs of the worker that serves it. */
export interface RunHost {
	readonly workerId: string;
	readonly bus: Bus;
	readonly clock: Clock;
	/** Does something when it is its turn: in a worker, one item is computed at a time. */
	takeTurn<T>(work: () => Promise<T>): Promise<T>;
	openSession(run: RunSpec): Promise<Session>;
	/** Told of what no answer to an item can tell, such as a lost bus. */
	fail(error: unknown): void;
}

/**
 * One worker's part in one run: pulls the items of the shards assigned to it. Each shard has its next item at hand
 * while another one's is computed, and says "working" of it meanwhile.
 */
export class ServedRun {
	readonly #run: RunSpec;
	readonly #host: RunHost;
	readonly #ended = new AbortController();
	/** What ends the loop of a shard that is ours. */
	readonly #shards = new Map<number, AbortController>();
	readonly #loops = new Set<Promise<void>>();
	#session: Promise<Session> | undefined;

	constructor(run: RunSpec, host: RunHost) {
		this.#run = run;
		this.#host = host;
		this.#keep(this.#followAssignments());
	}

	/** Finishes the item in hand, hands back the others, and closes the session. */
	async end(): Promise<void> {
		this.#ended.abort();
		for (const shard of this.#shards.values()) shard.abort();
		await Promise.all(this.#loops);
		const session = await this.#session?.catch(() => undefined);
		await session?.close();
	}

	async #followAssignments(): Promise<void> {
		const { bus, workerId } = this.#host;
		for await (const assignment of bus.watchAssignments(this.#run.runId, this.#ended.signal)) {
			const { shard } = assignment;
			const held = this.#shards.get(shard);
			if (assignment.workerId !== workerId) {
				held?.abort();
				this.#shards.delete(shard);
			} else if (!held) {
				const begun = new AbortController();
				this.#shards.set(shard, begun);
				this.#keep(this.#serveShard(shard, begun.signal));
			}
		}
	}

	async #serveShard(shard: number, signal: AbortSignal): Promise<void> {
		for await (const delivery of this.#host.bus.pull(this.#run.runId, shard, signal))
			await this.#serve(delivery, signal);
	}

	/** Does an item when it is its turn, or hands it back as soon as its shard is not ours any more. */
	async #serve(delivery: Delivery, signal: AbortSignal): Promise<void> {
		const { bus, clock, takeTurn, fail } = this.#host;
		const everyMs = bus.timing.ackWaitMs / SIGNS_PER_TIMEOUT;
		const endSigns = repeatEvery(clock, everyMs, () => delivery.working(), fail);
		const handBack = () => {
			endSigns();
			delivery.nak().catch(fail);
		};
		signal.addEventListener("abort", handBack);
		try {
			await takeTurn(async () => {
				signal.removeEventListener("abort", handBack);
				if (!signal.aborted) await this.#do(delivery);
			});
		} finally {
			endSigns();
		}
	}

	/** The item is acknowledged only when its answer is out: whatever dies in between, it is done again. */
	async #do(delivery: Delivery): Promise<void> {
		await this.#host.bus.answer(await this.#resultOf(delivery.item));
		await delivery.ack();
	}

	async #resultOf(item: WorkItem): Promise<WorkResult> {
		try {
			this.#session ??= this.#host.openSession(this.#run);
			return await (await this.#session).handle(item);
		} catch (error) {
			return failureResult(item, this.#host.workerId, error);
		}
	}

	#keep(loop: Promise<void>): void {
		const kept = loop.catch(this.#host.fail).finally(() => this.#loops.delete(kept));
		this.#loops.add(kept);
	}
}
