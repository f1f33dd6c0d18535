import type { Delivery } from "../../shared/bus/bus.ts";
import { Changes } from "../../shared/bus/changes.ts";
import type { Clock } from "../../shared/clock.ts";
import { workItemCodec } from "../../shared/messages.ts";

/** A delivery that has not been acknowledged. */
interface Outstanding {
	/** Cancels its ack wait. */
	cancelWait: () => void;
}

/**
 * The items of one shard, first in first out. The first item is delivered to one puller at a time and stays first until
 * it is acknowledged, so no item overtakes it.
 */
export class WorkQueue {
	readonly #items: Uint8Array[] = [];
	readonly #changes = new Changes();
	readonly #clock: Clock;
	readonly #ackWaitMs: number;
	#outstanding: Outstanding | undefined;

	constructor(clock: Clock, ackWaitMs: number) {
		this.#clock = clock;
		this.#ackWaitMs = ackWaitMs;
	}

	/** @param answered acknowledges the item when it aborts */
	push(item: Uint8Array, answered: AbortSignal): void {
		if (answered.aborted) return;
		this.#items.push(item);
		answered.addEventListener("abort", () => this.#drop(item), { once: true });
		this.#changes.notify();
	}

	pull(signal: AbortSignal): AsyncGenerator<Delivery, void, undefined> {
		return this.#changes.follow(() => this.#deliver(), signal);
	}

	/** Whether the first item is delivered; undefined if there is none. */
	get isTaken(): boolean | undefined {
		return this.#items.length === 0 ? undefined : this.#outstanding !== undefined;
	}

	/** Makes the first item available again; an ack of its delivery still counts. */
	takeBack(): void {
		if (this.#outstanding) this.#release();
	}

	end(): void {
		this.#outstanding?.cancelWait();
		this.#items.length = 0;
		this.#changes.end();
	}

	#deliver(): Delivery | undefined {
		const bytes = this.#items[0];
		if (this.#outstanding || !bytes) return undefined;
		const mine: Outstanding = { cancelWait: () => {} };
		const release = () => {
			if (this.#outstanding === mine) this.#release();
		};
		const startWait = () => {
			mine.cancelWait();
			mine.cancelWait = this.#clock.schedule(release, this.#ackWaitMs);
		};
		this.#outstanding = mine;
		startWait();
		return {
			item: workItemCodec.decode(bytes),
			ack: async () => this.#drop(bytes),
			nak: async () => release(),
			working: async () => {
				if (this.#outstanding === mine) startWait();
			},
			requestNext: () => {},
		};
	}

	#drop(bytes: Uint8Array): void {
		if (this.#items[0] !== bytes) return;
		this.#items.shift();
		this.#release();
	}

	#release(): void {
		this.#outstanding?.cancelWait();
		this.#outstanding = undefined;
		this.#changes.notify();
	}
}
