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
	/** Aborts when the item is answered or given up. */
	readonly over: AbortController;
	/** Earliest time at which its worker could have begun it. */
	sinceMs: number;
	/** Workers' faults that were reported, and their number by worker. */
	readonly reported: Set<string>;
	readonly faults: Map<string, number>;
	/** Notice of the item while it is retried. */
	readonly retry: Hold;
}

/**
 * The items of a run that wait for their answers. Only this class knows whether an item has an answer. Items are
 * numbered in the order in which they are asked, so their numbers alone separate late answers from answers to unknown
 * items. A list of all items would grow forever in a server.
 */
export class RunAnswers {
	readonly ignored: IgnoredAnswers = { double: 0, stale: 0, stray: 0 };
	readonly #waiting = new Map<number, WaitingItem>();
	#lastSerial = 0;
	#version: number | undefined;
	/** Number of the first item with the current parameter version. */
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
		answered.catch(() => {}); // the dispatcher reports the error when it comes to this item
		const attempts = { reported: new Set<string>(), faults: new Map<string, number>(), sinceMs, retry };
		const over = new AbortController();
		const waiting = { item: { ...asked, serial }, answered, settle, fail, over, ...attempts };
		this.#waiting.set(serial, waiting);
		return waiting;
	}

	/** All waiting items. */
	get waiting(): readonly WaitingItem[] {
		return [...this.#waiting.values()];
	}

	/** Returns the item of an answer. @throws Refusal if it isn't waiting; the answer is then counted as ignored */
	find({ serial, workerId, failure }: WorkResult): WaitingItem {
		const waiting = this.#waiting.get(serial);
		if (waiting) return waiting;
		const isStray = !(serial >= 1 && serial <= this.#lastSerial);
		if (isStray) this.ignored.stray++;
		else if (serial >= this.#firstOfVersion || failure?.ofWorker) this.ignored.double++;
		else this.ignored.stale++;
		throw notExpected(serial, `found one from worker ${workerId}`);
	}

	/** Ends the wait for an item; does nothing if it isn't waiting. */
	end({ item, over, retry }: WaitingItem): void {
		if (!this.#waiting.delete(item.serial)) return;
		retry.end();
		over.abort(notExpected(item.serial, "it was answered or given up"));
	}
}

function notExpected(serial: number, why: string): Refusal {
	return new Refusal("REFUSAL_NOT_EXPECTED", `item ${serial} is not waiting for an answer: ${why}`);
}
