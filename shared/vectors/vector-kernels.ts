import { kernelMemoryOf, NUMBER_BYTES, scratch, TILE } from "./kernel-memory.ts";
import { addResult, type KernelName, type KernelScalars } from "./kernels.ts";

/** Numbers in one instruction. */
const WIDTH = 4;
/** Shorter vectors are finished before another thread has woken up. */
const LEAST_SHARED_BYTES = 1 << 22;
/** Bytes of each vector in one chunk of a thread. */
const CHUNK_BYTES = 65536;

/** The part of the vectors that a kernel works on. */
export interface Extent {
	/** Numbers of each vector, from its start; later numbers are left alone. */
	readonly length: number;
	/** How many of the vectors, from the first, the kernel writes. */
	readonly written: number;
	/** Threads that compute if all vectors lie in one kernel memory and are long. Default: 1. */
	readonly threads?: number | undefined;
	/** Whether the kernel gets the position of its first number, in bytes, as the last address. Default: false. */
	readonly isPositional?: boolean;
}

/**
 * Runs a kernel over up to 4 vectors: in place if all lie in one kernel memory, otherwise tile by tile. The kernel must
 * compute each number independently of the others, because chunks have any length that is a multiple of 4 and the last
 * one may end in up to 3 zeros of padding.
 * @returns the kernel's results for all chunks, combined
 */
export function overVectors<Name extends KernelName>(
	kernel: Name,
	vectors: readonly Float32Array[],
	scalars: KernelScalars[Name],
	{ length, written, threads = 1, isPositional = false }: Extent,
): number {
	const buffer = vectors[0]?.buffer;
	const memory = vectors[0] && kernelMemoryOf(vectors[0]);
	const { kernels, tiles, threads: helpers } = memory ?? scratch;
	const isResident = (vector: Float32Array) => memory !== undefined && vector.buffer === buffer;
	const allResident = vectors.every(isResident);
	const result = new Int32Array(1);
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
		if (isPositional) at.push(start * NUMBER_BYTES);
		const call = { kernel, scalars, at, size: Math.ceil(count / WIDTH) * WIDTH * NUMBER_BYTES };
		const isShared = threads > 1 && call.size >= LEAST_SHARED_BYTES;
		addResult(
			kernel,
			result,
			0,
			isShared ? helpers.run([{ ...call, chunk: CHUNK_BYTES, steps: at.map(() => 1) }], threads) : kernels(call),
		);
		for (let i = 0; i < written; i++) {
			if (!inPlace[i]) vectors[i]?.set((tiles[i] as Float32Array).subarray(0, count), start);
		}
	}
	return result[0] ?? 0;
}

function fill(tile: Float32Array, vector: Float32Array, start: number, count: number): number {
	if (count % WIDTH) tile.fill(0);
	tile.set(vector.subarray(start, start + count));
	return tile.byteOffset;
}
