import { KERNEL_WAIT_MS } from "../deadlines.ts";
import { TailtuneError } from "../errors.ts";
import { addResult, type DividedCall, type KernelCall, type Kernels } from "./kernels.ts";

/** Calls of the same kernel that several threads run together, in any order. */
export interface SharedCalls {
	readonly calls: readonly DividedCall[];
	/** Counters of these calls only, so that a thread that comes late finds no chunk left. */
	readonly counters: Int32Array<SharedArrayBuffer>;
}

/** Positions in `counters`: chunks taken, chunks done, the combined results of all chunks. */
const TAKEN = 0;
const DONE = 1;
const RESULT = 2;

/** @param calls run by several threads, each with `runChunks` */
export function shareCalls(calls: readonly DividedCall[]): SharedCalls {
	return { calls, counters: new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) };
}

/** Runs one chunk after the other until all are taken. */
export function runChunks(kernels: Kernels, { calls, counters }: SharedCalls): void {
	const take = () => Atomics.add(counters, TAKEN, 1);
	let taken = take();
	let first = 0;
	for (const call of calls) {
		const end = first + countChunks(call);
		for (; taken < end; taken = take()) {
			addResult(call.kernel, counters, RESULT, kernels(chunkOf(call, taken - first)));
			Atomics.add(counters, DONE, 1);
			Atomics.notify(counters, DONE);
		}
		first = end;
	}
}

function countChunks({ size, chunk }: DividedCall): number {
	return Math.ceil(size / chunk);
}

/** @param index of the chunk, from 0 */
function chunkOf({ kernel, size, at, scalars, chunk, steps }: DividedCall, index: number): KernelCall {
	const from = index * chunk;
	const own = at.map((address, i) => address + from * (steps[i] ?? 0));
	return { kernel, size: Math.min(chunk, size - from), at: own, scalars };
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
export function awaitChunks({ calls, counters }: SharedCalls, waitMs = KERNEL_WAIT_MS): number {
	const all = calls.reduce((sum, call) => sum + countChunks(call), 0);
	for (let waits = 0; waits < MOST_WAITS; ) {
		const done = Atomics.load(counters, DONE);
		if (done === all) return Atomics.load(counters, RESULT);
		waits = Atomics.wait(counters, DONE, done, waitMs) === "timed-out" ? waits + 1 : 0;
	}
	const found = `${Atomics.load(counters, DONE)} of ${all} parts done and no progress for ${(MOST_WAITS * waitMs) / 1000} s`;
	throw new TailtuneError("engine", `a thread that computes on vectors ended: found ${found}; run again (--resume)`);
}
