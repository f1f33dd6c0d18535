import { type Listener, ListenerQueue } from "./listener-queue.ts";
import { Progress } from "./progress.ts";
import type { RunEvent } from "./schemas.ts";

/** A piece of work that takes some time. */
export interface Phase {
	/** So many more units are done. */
	advance(units: number): void;
	/** It has ended. */
	done(): void;
}

/**
 * The events of a run. Everything that has something to report emits events; terminals, the progress shown by
 * `tailtune runs` and others listen. Without listeners nothing is shown.
 */
export class RunEvents {
	readonly #queues = new Map<Listener, ListenerQueue>();
	readonly #now: () => number;
	/** Marks the open download as failed. */
	#failDownload = () => {};

	/** @param now milliseconds that never go back; default: since the process began */
	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** Adds a listener. An error of it is reported once, as a warning of the process. @returns removes the listener */
	listen(listener: Listener): () => void {
		this.#queues.set(listener, new ListenerQueue(listener));
		return () => this.#queues.delete(listener);
	}

	/** Tells all listeners. It never throws and waits for none of them. */
	emit(event: RunEvent): void {
		for (const queue of [...this.#queues.values()]) queue.push(event);
	}

	/** A remark for people. */
	line(text: string): void {
		this.emit({ event: "line", text });
	}

	/** A warning for people. */
	warn(text: string): void {
		this.emit({ event: "warning", text });
	}

	/**
	 * Begins a phase; phases may be nested. A download that is still open has failed.
	 * @param total units of work, each of which takes about as long as another; 0 if unknown
	 * @param unit as in "tokens", "steps", "bytes"
	 * @param startAt units done by an earlier process: they count for the share, not for the speed; default 0
	 */
	phase(name: string, total: number, unit: string, startAt = 0): Phase {
		this.#failDownload();
		return this.#begin(name, total, unit, startAt);
	}

	/**
	 * Reports a download as a phase. It begins with the first report of an incomplete file: bytes that are there by then were
	 * downloaded earlier. A download that fails needs no end: it ends when the next phase begins.
	 * @returns to be called with the bytes that are there, and the bytes in all
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
		const end = (event: "phase-done" | "phase-failed") => this.emit({ event, ...state(), seconds: progress.seconds });
		return { advance, done: () => end("phase-done"), end };
	}
}
