import { KERNEL_WAIT_MS } from "../deadlines.ts";
import { TailtuneError } from "../errors.ts";
import type { KernelCall, Kernels } from "./kernels.ts";

/** Bytes of each vector in one chunk: small, so that threads finish together; large, so that the calls cost little. */
const CHUNK_BYTES = 65536;

/** A call that several threads run together. */
export interface SharedCall extends KernelCall {
	/** Counters of this call only, so that a thread that comes late finds no chunk left. */
	readonly counters: Int32Array<SharedArrayBuffer>;
}

/** Positions in `counters`: chunks taken, chunks done, the results of all chunks combined by OR. */
const TAKEN = 0;
const DONE = 1;
const FOUND = 2;

/** @param call run by several threads, each with `runChunks` */
export function sharedCall(call: KernelCall): SharedCall {
	return { ...call, counters: new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) };
}

/** Runs one chunk after the other until all are taken. */
export function runChunks(kernels: Kernels, { kernel, bytes, at, scalars, counters }: SharedCall): void {
	for (;;) {
		const from = Atomics.add(counters, TAKEN, 1) * CHUNK_BYTES;
		if (from >= bytes) return;
		const own = { bytes: Math.min(CHUNK_BYTES, bytes - from), at: at.map((address) => address + from) };
		Atomics.or(counters, FOUND, kernels({ kernel, scalars, ...own }));
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
 * @returns the results of all chunks, combined by OR
 * @throws TailtuneError "engine" if a thread took a chunk and ended: the vectors are then partly updated
 */
export function awaitChunks({ bytes, counters }: SharedCall, waitMs = KERNEL_WAIT_MS): number {
	const all = Math.ceil(bytes / CHUNK_BYTES);
	for (let waits = 0; waits < MOST_WAITS; ) {
		const done = Atomics.load(counters, DONE);
		if (done === all) return Atomics.load(counters, FOUND);
		waits = Atomics.wait(counters, DONE, done, waitMs) === "timed-out" ? waits + 1 : 0;
	}
	const found = `${Atomics.load(counters, DONE)} of ${all} parts done and no progress for ${(MOST_WAITS * waitMs) / 1000} s`;
	throw new TailtuneError("engine", `a thread that computes on vectors ended: found ${found}; run again (--resume)`);
}
