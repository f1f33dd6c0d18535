import { createHome, type Home, NUMBER_BYTES, TILE, TILES_BYTES } from "./kernel-memory.ts";
import type { KernelName, KernelScalars } from "./kernels.ts";

/** Numbers in one instruction. */
const WIDTH = 4;
/** Shorter vectors are done with sooner than another thread has woken up. */
const LEAST_SHARED_BYTES = 1 << 22;
/** More would wait for the same memory. */
const MOST_THREADS = 8;

const homes = new WeakMap<ArrayBufferLike, Home>();
const visitors = createHome(TILES_BYTES);

/** Has vectors in that buffer, which is the home's memory, computed on where they lie. The home lives as long as the buffer. */
export function settle(buffer: ArrayBuffer, home: Home): void {
	homes.set(buffer, home);
}

/** How a kernel goes over vectors. */
export interface Extent {
	/** Numbers of each vector; what is after them stays as it is. */
	readonly length: number;
	/** As many vectors, from the first, are changed by the kernel. */
	readonly written: number;
	/** That compute, where all vectors live in one memory and are long. Default: this one. */
	readonly threads?: number | undefined;
}

/**
 * Has a kernel compute over vectors, up to 4: at once where all live in one memory, else tile by tile. What it
 * computes of a number must not depend on the others: a stretch can be any, and can end in zeros of padding.
 * @returns what it found in any stretch
 */
export function overVectors<Name extends KernelName>(
	kernel: Name,
	vectors: readonly Float32Array[],
	scalars: KernelScalars[Name],
	{ length, written, threads = 1 }: Extent,
): number {
	const buffer = vectors[0]?.buffer;
	const home = homes.get(buffer as ArrayBufferLike);
	const { kernels, tiles, threads: helpers } = home ?? visitors;
	const livesHere = (vector: Float32Array) => home !== undefined && vector.buffer === buffer;
	const allLive = vectors.every(livesHere);
	let found = 0;
	for (let start = 0, count = 0; start < length; start += count) {
		const left = length - start;
		// What isn't a multiple of the kernels' width goes by the padded tile, so that they write nothing behind it.
		count = allLive && left >= WIDTH ? left - (left % WIDTH) : Math.min(TILE, left);
		const isWhole = count % WIDTH === 0;
		const lives = vectors.map((vector) => isWhole && livesHere(vector));
		const at = vectors.map((vector, i) =>
			lives[i] ? vector.byteOffset + start * NUMBER_BYTES : fill(tiles[i] as Float32Array, vector, start, count),
		);
		const call = { kernel, scalars, at, bytes: Math.ceil(count / WIDTH) * WIDTH * NUMBER_BYTES };
		const isShared = threads > 1 && call.bytes >= LEAST_SHARED_BYTES;
		found |= isShared ? helpers.run(call, Math.min(threads, MOST_THREADS)) : kernels(call);
		for (let i = 0; i < written; i++) {
			if (!lives[i]) vectors[i]?.set((tiles[i] as Float32Array).subarray(0, count), start);
		}
	}
	return found;
}

function fill(tile: Float32Array, vector: Float32Array, start: number, count: number): number {
	if (count % WIDTH) tile.fill(0);
	tile.set(vector.subarray(start, start + count));
	return tile.byteOffset;
}
