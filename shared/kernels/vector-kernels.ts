import { readFileSync } from "node:fs";

/** The functions of vector-kernels.wat; sizes and addresses in bytes. */
export interface VectorKernels {
	stepAdamW(
		...args: [
			...[bytes: number, parameters: number, firstMoment: number, secondMoment: number, gradient: number],
			...[beta1: number, share1: number, beta2: number, share2: number],
			...[decay: number, step: number, epsilon: number],
		]
	): number;
	addWeighted(bytes: number, total: number, addend: number, weight: number): void;
	findNotFinite(bytes: number, numbers: number): number;
}

// Node's types leave WebAssembly to the browser's.
declare const WebAssembly: {
	Module: new (bytes: Uint8Array) => object;
	Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
	Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const PAGE_BYTES = 65536;
/** The most that 32-bit addresses reach. */
const MEMORY_BYTES = 65536 * PAGE_BYTES;
/** Numbers worked on at a time: few enough that a tile stays in the processor's nearest cache. */
const TILE = 2048;
const OPERANDS = 4;
/** Numbers in one instruction. */
const WIDTH = 4;
/** Bytes of a number, of a cache line, of the memory's tiles. */
const NUMBER_BYTES = Float32Array.BYTES_PER_ELEMENT;
const LINE_BYTES = 64;
const TILES_BYTES = OPERANDS * TILE * NUMBER_BYTES;

/** A memory and the kernels over it: first a tile for each operand, then the vectors that live in it. */
interface Home {
	readonly kernels: VectorKernels;
	readonly buffer: ArrayBuffer;
	readonly tiles: readonly Float32Array[];
}

const compiled = new WebAssembly.Module(readFileSync(new URL("./vector-kernels.wasm", import.meta.url)));
const homes = new WeakMap<ArrayBufferLike, Home>();
const visitors = createHome(TILES_BYTES);

/**
 * Vectors of zeros, all in one memory that the kernels reach: they are computed on where they lie, others are copied in
 * and out tile by tile, with the same result. Where 4 GiB don't hold them they are ordinary arrays.
 * @param lengths of each vector
 */
export function allocateVectors<const Lengths extends readonly number[]>(
	...lengths: Lengths
): { [Vector in keyof Lengths]: Float32Array } {
	let bytes = TILES_BYTES;
	const offsets = lengths.map((length) => {
		const offset = bytes;
		bytes += Math.ceil((length * NUMBER_BYTES) / LINE_BYTES) * LINE_BYTES;
		return offset;
	});
	const buffer = bytes > MEMORY_BYTES ? undefined : createHome(bytes).buffer;
	const vectors = lengths.map((length, i) =>
		buffer ? new Float32Array(buffer, offsets[i], length) : new Float32Array(length),
	);
	return vectors as { [Vector in keyof Lengths]: Float32Array };
}

/**
 * Calls `compute` for one stretch of the vectors after another, with the stretch's bytes and where each vector's is in the
 * kernels' memory: all at once where all vectors live there, else by tile. What it computes of a number must not depend on the others: a stretch can end in zeros of padding.
 * @param vectors up to 4, of at least `length`; what is after it stays as it is
 * @param written as many, from the first, are changed by `compute`
 */
export function overTiles(
	vectors: readonly Float32Array[],
	{ length, written }: { readonly length: number; readonly written: number },
	compute: (kernels: VectorKernels, bytes: number, at: readonly number[]) => void,
): void {
	const home = homes.get(vectors[0]?.buffer as ArrayBufferLike) ?? visitors;
	const allLive = vectors.every(({ buffer }) => buffer === home.buffer);
	for (let start = 0, count = 0; start < length; start += count) {
		const left = length - start;
		// What isn't a multiple of the kernels' width goes by the padded tile, so that they write nothing behind it.
		count = allLive && left >= WIDTH ? left - (left % WIDTH) : Math.min(TILE, left);
		const isWhole = count % WIDTH === 0;
		const lives = vectors.map((vector) => isWhole && vector.buffer === home.buffer);
		const at = vectors.map((vector, i) =>
			lives[i] ? vector.byteOffset + start * NUMBER_BYTES : fill(home.tiles[i] as Float32Array, vector, start, count),
		);
		compute(home.kernels, Math.ceil(count / WIDTH) * WIDTH * NUMBER_BYTES, at);
		for (let i = 0; i < written; i++) {
			if (!lives[i]) vectors[i]?.set((home.tiles[i] as Float32Array).subarray(0, count), start);
		}
	}
}

function fill(tile: Float32Array, vector: Float32Array, start: number, count: number): number {
	if (count % WIDTH) tile.fill(0);
	tile.set(vector.subarray(start, start + count));
	return tile.byteOffset;
}

function createHome(bytes: number): Home {
	const pages = Math.ceil(bytes / PAGE_BYTES);
	// Never grown: that would detach the views.
	const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
	const { buffer } = memory;
	const kernels = new WebAssembly.Instance(compiled, { vectors: { memory } }).exports as VectorKernels;
	const tiles = Array.from({ length: OPERANDS }, (_, i) => new Float32Array(buffer, i * TILE * NUMBER_BYTES, TILE));
	const home = { kernels, buffer, tiles };
	homes.set(buffer, home);
	return home;
}
