import type { Delivery } from "../../shared/bus/bus.ts";
import { Changes } from "../../shared/bus/changes.ts";
import type { Clock } from "../../shared/clock.ts";
import { workItemCodec } from "../../shared/messages.ts";

/** A delivery that has not been answered for, and what stops its ack wait. */
interface Outstanding {
	cancelWait: () => void;
}

/**
 * The items of one shard, first in first out. The first is lent to one puller at a time and stays first until it is
 * acknowledged, so that nothing overtakes it.
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

	push(item: Uint8Array): void {
		this.#items.push(item);
		this.#changes.notify();
	}

	pull(signal: AbortSignal): AsyncGenerator<Delivery, void, undefined> {
		return this.#changes.follow(() => this.#lend(), signal);
	}

	/** Whether somebody has the first item; undefined if there is none. */
	get isTaken(): boolean | undefined {
		return this.#items.length === 0 ? undefined : this.#outstanding !== undefined;
	}

	/** Ends the loan of the first item; an ack of it still counts. */
	takeBack(): void {
		if (this.#outstanding) this.#free();
	}

	end(): void {
		this.#outstanding?.cancelWait();
		this.#items.length = 0;
		this.#changes.end();
	}

	#lend(): Delivery | undefined {
		const bytes = this.#items[0];
		if (this.#outstanding || !bytes) return undefined;
		const mine: Outstanding = { cancelWait: () => {} };
		const giveBack = () => {
			if (this.#outstanding === mine) this.#free();
		};
		const startWait = () => {
			mine.cancelWait();
			mine.cancelWait = this.#clock.schedule(giveBack, this.#ackWaitMs);
		};
		this.#outstanding = mine;
		startWait();
		return {
			item: workItemCodec.decode(bytes),
			ack: async () => this.#drop(bytes),
			nak: async () => giveBack(),
			working: async () => {
				if (this.#outstanding === mine) startWait();
			},
		};
	}

	#drop(bytes: Uint8Array): void {
		if (this.#items[0] !== bytes) return;
		this.#items.shift();
		this.#free();
	}

	#free(): void {
		this.#outstanding?.cancelWait();
		this.#outstanding = undefined;
		this.#changes.notify();
	}
}
