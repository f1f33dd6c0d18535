import { TailtuneError } from "../errors.ts";
import type { KernelCall, Kernels } from "./kernels.ts";

/** Of each vector, taken at a time: what a thread is late by at the end, and few enough calls. */
const STRETCH_BYTES = 65536;

/** A call that several threads do together. */
export interface SharedCall extends KernelCall {
	/** Of this call alone: a thread that comes late finds nothing left on it. */
	readonly board: Int32Array<SharedArrayBuffer>;
}

/** Places of the board: stretches that were taken, those that are done, what was found in any. */
const TAKEN = 0;
const DONE = 1;
const FOUND = 2;

export function sharedCall(call: KernelCall): SharedCall {
	return { ...call, board: new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) };
}

/** Does one stretch after the other that nobody else has taken. */
export function takeStretches(kernels: Kernels, { kernel, bytes, at, scalars, board }: SharedCall): void {
	for (;;) {
		const from = Atomics.add(board, TAKEN, 1) * STRETCH_BYTES;
		if (from >= bytes) return;
		const own = { bytes: Math.min(STRETCH_BYTES, bytes - from), at: at.map((address) => address + from) };
		Atomics.or(board, FOUND, kernels({ kernel, scalars, ...own }));
		Atomics.add(board, DONE, 1);
		Atomics.notify(board, DONE);
	}
}

/**
 * One wait for other threads, in ms, and the number of waits without progress after which they are given up: 30 s for work
 * of microseconds. One long wait would also be over after the process was stopped (SIGSTOP) and went on.
 */
const WAIT_MS = 1000;
const MOST_WAITS = 30;

/**
 * Holds this thread until all stretches are done.
 * @returns what was found in any
 * @throws TailtuneError "engine" if a thread took a stretch and ended: the vectors are then half updated
 */
export function awaitStretches({ bytes, board }: SharedCall, waitMs = WAIT_MS): number {
	const all = Math.ceil(bytes / STRETCH_BYTES);
	for (let waits = 0; waits < MOST_WAITS; ) {
		const done = Atomics.load(board, DONE);
		if (done === all) return Atomics.load(board, FOUND);
		waits = Atomics.wait(board, DONE, done, waitMs) === "timed-out" ? waits + 1 : 0;
	}
	const found = `${Atomics.load(board, DONE)} of ${all} parts done and no progress for ${(MOST_WAITS * waitMs) / 1000} s`;
	throw new TailtuneError("engine", `a thread that computes on vectors ended: found ${found}; run again (--resume)`);
}
