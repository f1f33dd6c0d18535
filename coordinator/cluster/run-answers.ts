import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import type { NewItem, WorkItem, WorkResult } from "../../shared/messages.ts";
import type { Hold } from "../../shared/notices.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import type { IgnoredAnswers } from "../run-folder/audit.ts";

/** An item that waits for its answer. */
export interface WaitingItem {
	readonly item: WorkItem;
	readonly answered: Promise<Answer>;
	readonly settle: (answer: Answer) => void;
	readonly fail: (error: Error) => void;
	/** Aborts when the item waits no longer. */
	readonly over: AbortController;
	/** When its worker could have begun with it. */
	sinceMs: number;
	/** Faults of workers' own that were reported, and their number by worker. */
	readonly told: Set<string>;
	readonly faults: Map<string, number>;
	/** Reports the item while it is tried again. */
	readonly retry: Hold;
}

/**
 * The items of a run that wait for their answer: the only place that knows whether an item has one. Items are numbered in the
 * order of asking, so that the numbers alone tell late answers from those that nobody asked for. A list of all items would
 * grow forever in a server.
 */
export class RunAnswers {
	readonly ignored: IgnoredAnswers = { double: 0, stale: 0, stray: 0 };
	readonly #waiting = new Map<number, WaitingItem>();
	#lastSerial = 0;
	#version: number | undefined;
	/** The first item of the version that was asked for last. */
	#firstOfVersion = 1;

	/** Numbers an item and waits for its answer. */
	ask(asked: NewItem, { sinceMs, retry }: Pick<WaitingItem, "sinceMs" | "retry">): WaitingItem {
		const serial = ++this.#lastSerial;
		if (asked.parameterVersion !== this.#version) this.#firstOfVersion = serial;
		this.#version = asked.parameterVersion;
		let settle: WaitingItem["settle"] = () => {};
		let fail: WaitingItem["fail"] = () => {};
		const answered = new Promise<Answer>((resolve, reject) => {
			settle = resolve;
			fail = reject;
		});
		answered.catch(() => {}); // one that fails before its turn is reported when its turn comes
		const attempts = { told: new Set<string>(), faults: new Map<string, number>(), sinceMs, retry };
		const over = new AbortController();
		const waiting = { item: { ...asked, serial }, answered, settle, fail, over, ...attempts };
		this.#waiting.set(serial, waiting);
		return waiting;
	}

	/** All that wait. */
	get waiting(): readonly WaitingItem[] {
		return [...this.#waiting.values()];
	}

	/** The item that an answer is for. @throws Refusal if it doesn't wait; the answer is then counted as ignored */
	find({ serial, workerId, failure }: WorkResult): WaitingItem {
		const waiting = this.#waiting.get(serial);
		if (waiting) return waiting;
		const isStray = !(serial >= 1 && serial <= this.#lastSerial);
		if (isStray) this.ignored.stray++;
		else if (serial >= this.#firstOfVersion || failure?.ofWorker) this.ignored.double++;
		else this.ignored.stale++;
		throw notExpected(serial, `worker ${workerId} answers it`);
	}

	/** Ends the wait for an item. Nothing happens if it doesn't wait. */
	end({ item, over, retry }: WaitingItem): void {
		if (!this.#waiting.delete(item.serial)) return;
		retry.end();
		over.abort(notExpected(item.serial, "it waits no longer"));
	}
}

function notExpected(serial: number, why: string): Refusal {
	return new Refusal("REFUSAL_NOT_EXPECTED", `nobody waits for the answer to item ${serial}: ${why}`);
}
