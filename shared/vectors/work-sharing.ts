import { KERNEL_WAIT_MS } from "../deadlines.ts";
import { TailtuneError } from "../errors.ts";
import { addResult, type KernelCall, type Kernels } from "./kernels.ts";

/** How threads divide the work of a call. */
export interface Division {
	/** Size of each chunk but the last: small, so that threads finish together; large, so that the calls cost little. */
	readonly chunk: number;
	/** By how many bytes each address of the call grows for each unit of its size. */
	readonly steps: readonly number[];
}

/** A call that several threads run together. */
export interface SharedCall extends KernelCall, Division {
	/** Counters of this call only, so that a thread that comes late finds no chunk left. */
	readonly counters: Int32Array<SharedArrayBuffer>;
}

/** Positions in `counters`: chunks taken, chunks done, the combined results of all chunks. */
const TAKEN = 0;
const DONE = 1;
const RESULT = 2;

/** @param call run by several threads, each with `runChunks` */
export function sharedCall(call: KernelCall, division: Division): SharedCall {
	const counters = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
	return { ...call, ...division, counters };
}

/** Runs one chunk after the other until all are taken. */
export function runChunks(kernels: Kernels, { kernel, size, at, scalars, chunk, steps, counters }: SharedCall): void {
	for (;;) {
		const from = Atomics.add(counters, TAKEN, 1) * chunk;
		if (from >= size) return;
		const own = { size: Math.min(chunk, size - from), at: at.map((address, i) => address + from * (steps[i] ?? 0)) };
		addResult(kernel, counters, RESULT, kernels({ kernel, scalars, ...own }));
		Atomics.add(counters, DONE, 1);
		Atomics.notify(counters, DONE);
	}
}

/**
 * Waits of KERNEL_WAIT_MS without progress after which the other threads are given up: 30 s for work of microseconds.
 */
const MOST_WAITS = 30;

/**
 * Blocks this thread until all chunks are done.
 * @returns the combined results of all chunks
 * @throws TailtuneError "engine" if a thread took a chunk and ended: the vectors are then partly updated
 */
export function awaitChunks({ size, chunk, counters }: SharedCall, waitMs = KERNEL_WAIT_MS): number {
	const all = Math.ceil(size / chunk);
	for (let waits = 0; waits < MOST_WAITS; ) {
		const done = Atomics.load(counters, DONE);
		if (done === all) return Atomics.load(counters, RESULT);
		waits = Atomics.wait(counters, DONE, done, waitMs) === "timed-out" ? waits + 1 : 0;
	}
	const found = `${Atomics.load(counters, DONE)} of ${all} parts done and no progress for ${(MOST_WAITS * waitMs) / 1000} s`;
	throw new TailtuneError("engine", `a thread that computes on vectors ended: found ${found}; run again (--resume)`);
}
