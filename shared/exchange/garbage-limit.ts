import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Memory that the program may use and drop before V8 collects garbage. */
const GARBAGE_BYTES = 64 * 2 ** 20;
/** For a larger heap V8's own share is better: a collection takes longer. */
const LARGEST_HEAP_BYTES = 2 * GARBAGE_BYTES;

/**
 * Lets this process collect garbage less often. V8 collects it when the memory used since the last time, which includes
 * the buffers of messages, exceeds a share of the heap; the share is small for a program that allocates little per
 * second. With a heap of 34 MB that was in each step of 32 texts, and took 30 % of the processor time of coordinator
 * and worker. Call it when a run begins, because the share is computed from the present heap.
 */
export function setGarbageLimit(): void {
	setFlagsFromString(`--heap-growing-percent=${garbagePercent(getHeapStatistics().used_heap_size)}`);
}

/** Returns the share of the heap, in percent, that may be used before garbage is collected; 0: V8 chooses it. */
export function garbagePercent(heapBytes: number): number {
	return heapBytes > LARGEST_HEAP_BYTES ? 0 : Math.round((100 * GARBAGE_BYTES) / heapBytes);
}
