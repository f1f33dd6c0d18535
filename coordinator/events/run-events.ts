import type { DetailedEvent } from "./detailed-events.ts";
import { type Listener, ListenerQueue } from "./listener-queue.ts";
import { Progress } from "./progress.ts";
import type { RunEvent } from "./schemas.ts";

/** A running phase. */
export interface Phase {
	/** Reports that more units are done. */
	advance(units: number): void;
	/**
	 * Reports the end of the phase.
	 * @param seconds time of the work, if it was measured without other work; default: the time since the phase began
	 */
	done(seconds?: number): void;
}

/**
 * The stream of events of a run. The code that computes emits events; listeners print them or publish the progress for
 * `tailtune runs`.
 */
export class RunEvents {
	readonly #queues = new Map<Listener, ListenerQueue>();
	readonly #detailedQueues = new Set<ListenerQueue<DetailedEvent>>();
	readonly #now: () => number;
	/** Reports the running download as failed. */
	#failDownload = () => {};

	/** @param now a monotonic clock, in milliseconds; default: time since the process began */
	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** Adds a listener. Its first error is reported, as a warning of the process. @returns a function that removes it */
	listen(listener: Listener): () => void {
		this.#queues.set(listener, new ListenerQueue(listener));
		return () => this.#queues.delete(listener);
	}

	/** Adds a listener of the detailed events, which are otherwise not created. @returns a function that removes it */
	listenForDetails(listener: Listener<DetailedEvent>): () => void {
		const queue = new ListenerQueue(listener);
		this.#detailedQueues.add(queue);
		return () => this.#detailedQueues.delete(queue);
	}

	/** Whether a listener wants detailed events. */
	get isDetailed(): boolean {
		return this.#detailedQueues.size > 0;
	}

	/** Passes a detailed event to the listeners that want them. It never throws and doesn't wait. */
	emitDetail(event: DetailedEvent): void {
		for (const queue of [...this.#detailedQueues]) queue.push(event);
	}

	/** Passes an event to all listeners. It never throws and doesn't wait. */
	emit(event: RunEvent): void {
		for (const queue of [...this.#queues.values()]) queue.push(event);
	}

	/** Emits a remark for people. */
	line(text: string): void {
		this.emit({ event: "line", text });
	}

	/** Emits a warning for people. */
	warn(text: string): void {
		this.emit({ event: "warning", text });
	}

	/**
	 * Begins a phase; phases may be nested. A download that is still running is reported as failed.
	 * @param total units of work of about equal length; 0 if unknown
	 * @param unit for example "tokens", "steps" or "bytes"
	 * @param startAt units done by an earlier process; they count for the share, but not for the speed; default 0
	 */
	phase(name: string, total: number, unit: string, startAt = 0): Phase {
		this.#failDownload();
		return this.#begin(name, total, unit, startAt);
	}

	/**
	 * Reports a download as a phase. It begins with the first report of an incomplete file; the bytes in that report were
	 * downloaded earlier. A failed download ends when the next phase begins.
	 * @returns a function to call with the bytes downloaded and the total bytes
	 */
	download(name: string): (doneBytes: number, totalBytes: number) => void {
		let phase: Phase | undefined;
		let reported = 0;
		return (doneBytes, totalBytes) => {
			if (!phase) {
				if (doneBytes >= totalBytes) return;
				reported = doneBytes;
				phase = this.#beginDownload(name, totalBytes, doneBytes);
			}
			phase.advance(doneBytes - reported);
			reported = doneBytes;
			if (doneBytes < totalBytes) return;
			phase.done();
			phase = undefined;
		};
	}

	#beginDownload(name: string, total: number, startAt: number): Phase {
		this.#failDownload();
		const phase = this.#begin(name, total, "bytes", startAt);
		this.#failDownload = () => {
			this.#failDownload = () => {};
			phase.end("phase-failed");
		};
		const done = () => {
			this.#failDownload = () => {};
			phase.done();
		};
		return { advance: phase.advance, done };
	}

	#begin(name: string, total: number, unit: string, startAt: number) {
		const progress = new Progress(total, startAt, this.#now);
		const state = () => ({ name, total, unit, done: progress.done });
		this.emit({ event: "phase", ...state() });
		const advance = (units: number) => {
			progress.done += units;
			const { seconds, secondsLeft } = progress;
			this.emit({ event: "progress", ...state(), seconds, ...(secondsLeft !== undefined && { secondsLeft }) });
		};
		const end = (event: "phase-done" | "phase-failed", seconds = progress.seconds) =>
			this.emit({ event, ...state(), seconds });
		return { advance, done: (seconds?: number) => end("phase-done", seconds), end };
	}
}
