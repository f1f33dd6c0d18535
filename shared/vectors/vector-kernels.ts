import { createKernelMemory, type KernelMemory, NUMBER_BYTES, TILE, TILES_BYTES } from "./kernel-memory.ts";
import type { KernelName, KernelScalars } from "./kernels.ts";

/** Numbers in one instruction. */
const WIDTH = 4;
/** Shorter vectors are finished before another thread has woken up. */
const LEAST_SHARED_BYTES = 1 << 22;
/** More threads would not help: memory bandwidth is the limit. */
const MOST_THREADS = 8;

const memories = new WeakMap<ArrayBufferLike, KernelMemory>();
/** For vectors of other buffers, which are copied in and out by tiles. */
const scratch = createKernelMemory(TILES_BYTES);

/**
 * Registers `buffer` as an alias of this memory, so that kernels work on its vectors in place. The memory is kept as
 * long as the buffer.
 */
export function registerAlias(buffer: ArrayBuffer, memory: KernelMemory): void {
	memories.set(buffer, memory);
}

/** The part of the vectors that a kernel works on. */
export interface Extent {
	/** Numbers of each vector, from its start; later numbers are left alone. */
	readonly length: number;
	/** How many of the vectors, from the first, the kernel writes. */
	readonly written: number;
	/** Threads that compute if all vectors lie in one kernel memory and are long. Default: 1. */
	readonly threads?: number | undefined;
}

/**
 * Runs a kernel over up to 4 vectors: in place if all lie in one kernel memory, otherwise tile by tile. The kernel must
 * compute each number independently of the others, because chunks have any length and may end in zeros of padding.
 * @returns the kernel's results for all chunks, combined by OR
 */
export function overVectors<Name extends KernelName>(
	kernel: Name,
	vectors: readonly Float32Array[],
	scalars: KernelScalars[Name],
	{ length, written, threads = 1 }: Extent,
): number {
	const buffer = vectors[0]?.buffer;
	const memory = memories.get(buffer as ArrayBufferLike);
	const { kernels, tiles, threads: helpers } = memory ?? scratch;
	const isResident = (vector: Float32Array) => memory !== undefined && vector.buffer === buffer;
	const allResident = vectors.every(isResident);
	let found = 0;
	for (let start = 0, count = 0; start < length; start += count) {
		const left = length - start;
		// The last numbers, if they don't fill a SIMD register, go through a padded tile: kernels then write nothing after
		// them.
		count = allResident && left >= WIDTH ? left - (left % WIDTH) : Math.min(TILE, left);
		const isWhole = count % WIDTH === 0;
		const inPlace = vectors.map((vector) => isWhole && isResident(vector));
		const at = vectors.map((vector, i) =>
			inPlace[i] ? vector.byteOffset + start * NUMBER_BYTES : fill(tiles[i] as Float32Array, vector, start, count),
		);
		const call = { kernel, scalars, at, bytes: Math.ceil(count / WIDTH) * WIDTH * NUMBER_BYTES };
		const isShared = threads > 1 && call.bytes >= LEAST_SHARED_BYTES;
		found |= isShared ? helpers.run(call, Math.min(threads, MOST_THREADS)) : kernels(call);
		for (let i = 0; i < written; i++) {
			if (!inPlace[i]) vectors[i]?.set((tiles[i] as Float32Array).subarray(0, count), start);
		}
	}
	return found;
}

function fill(tile: Float32Array, vector: Float32Array, start: number, count: number): number {
	if (count % WIDTH) tile.fill(0);
	tile.set(vector.subarray(start, start + count));
	return tile.byteOffset;
}
