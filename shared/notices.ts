import { type Clock, realClock } from "./clock.ts";
import { NOTICE_AFTER_MS } from "./deadlines.ts";

/** Reasons why work is held up or may be lost. */
export const NOTICE_KINDS = {
	connection: "there is no connection to NATS",
	"no-jetstream": "JetStream is not enabled in NATS",
	"no-answer": "NATS does not answer, or only in part: there is no leader, or a stream is missing",
	"store-full": "NATS has no space left for messages",
	"stream-settings": "the settings of a stream differ from Tailtune's",
	"one-copy": "a NATS cluster keeps one copy of each stream: a server that is lost can take work items along",
	engines: "workers compute with different engines, versions or processors, or take no part for that reason",
	"no-coordinator": "no coordinator has created the streams yet",
	"no-workers": "there are no workers",
	"idle-worker": "a worker is connected and takes no work items",
	retrying: "a work item or a message is tried again",
} as const;

export type NoticeKind = keyof typeof NOTICE_KINDS;

/** A problem that holds work up: its start or its end. */
export interface Notice {
	readonly kind: NoticeKind;
	readonly state: "begun" | "over";
	/** The problem, on one line. */
	readonly text: string;
	/** Seconds that it has lasted so far. */
	readonly seconds: number;
}

export interface NoticesOptions {
	/** Default: real time. */
	readonly clock?: Clock;
	/** Milliseconds of that clock, from any start. */
	readonly now?: () => number;
}

/** Most texts in one notice; others are left out. */
const MOST_MENTIONED = 100;

interface Trouble {
	readonly kind: NoticeKind;
	readonly sinceMs: number;
	readonly holds: Set<object>;
	isReported: boolean;
	cancelReport: () => void;
}

/** One part of the program, which can be held up by one problem at a time. */
export interface Hold {
	/** Sets its problem. @param afterMs reports the problem if it lasts this long; default: `NOTICE_AFTER_MS` */
	begin(kind: NoticeKind, text: string, afterMs?: number): void;
	/** Clears its problem. */
	end(): void;
}

/**
 * Collects problems and reports each twice: when it begins, even if it holds up several parts of the program, and when
 * the last of these parts continues.
 */
export class Notices {
	readonly #report: (notice: Notice) => void;
	readonly #clock: Clock;
	readonly #now: () => number;
	readonly #troubles = new Map<string, Trouble>();
	readonly #listeners = new Set<() => void>();
	readonly #mentioned = new Set<string>();

	/** @param report called for each notice; default: none */
	constructor(report: (notice: Notice) => void = () => {}, options: NoticesOptions = {}) {
		this.#report = report;
		this.#clock = options.clock ?? realClock;
		this.#now = options.now ?? (() => performance.now());
	}

	/** Whether a reported problem still lasts. */
	get isHeldUp(): boolean {
		return this.lasting.length > 0;
	}

	/** The texts of all reported problems that still last. */
	get lasting(): string[] {
		return [...this.#troubles].filter(([, { isReported }]) => isReported).map(([text]) => text);
	}

	/** Calls back for each notice, and at once for problems that last. Returns a function that stops this. */
	onHeldUp(callback: () => void): () => void {
		this.#listeners.add(callback);
		if (this.isHeldUp) callback();
		return () => this.#listeners.delete(callback);
	}

	/** Reports a warning that holds nothing up; each text once. */
	mention(kind: NoticeKind, text: string): void {
		if (this.#mentioned.has(text) || this.#mentioned.size >= MOST_MENTIONED) return;
		this.#mentioned.add(text);
		this.#report({ kind, state: "begun", text, seconds: 0 });
	}

	/** Creates the entry of one part of the program. */
	hold(): Hold {
		const holder = {};
		let text: string | undefined;
		const end = () => {
			if (text !== undefined) this.#leave(text, holder);
			text = undefined;
		};
		const begin: Hold["begin"] = (kind, found, afterMs = NOTICE_AFTER_MS) => {
			if (found === text) return;
			const before = text;
			text = found;
			this.#enter(kind, found, holder, afterMs);
			if (before !== undefined) this.#leave(before, holder);
		};
		return { begin, end };
	}

	#enter(kind: NoticeKind, text: string, holder: object, afterMs: number): void {
		const found = this.#troubles.get(text);
		if (found) {
			found.holds.add(holder);
			return;
		}
		const sinceMs = this.#now();
		const trouble: Trouble = { kind, sinceMs, holds: new Set([holder]), isReported: false, cancelReport: () => {} };
		this.#troubles.set(text, trouble);
		const report = () => {
			trouble.isReported = true;
			this.#tell(text, trouble, "begun");
			for (const callback of [...this.#listeners]) callback();
		};
		if (afterMs === 0) report();
		else trouble.cancelReport = this.#clock.schedule(report, afterMs);
	}

	#leave(text: string, holder: object): void {
		const trouble = this.#troubles.get(text);
		if (!trouble?.holds.delete(holder) || trouble.holds.size > 0) return;
		trouble.cancelReport();
		this.#troubles.delete(text);
		if (trouble.isReported) this.#tell(text, trouble, "over");
	}

	#tell(text: string, { kind, sinceMs }: Trouble, state: Notice["state"]): void {
		this.#report({ kind, state, text, seconds: (this.#now() - sinceMs) / 1000 });
	}
}

/** Formats a notice as one line. */
export function describeNotice({ state, text, seconds }: Notice): string {
	return state === "begun" ? text : `over after ${Math.max(1, Math.round(seconds))} s: ${text}`;
}
