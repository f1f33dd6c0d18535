import { KernelThreads } from "./kernel-threads.ts";
import { compileKernels, type Kernels, kernelsOver } from "./kernels.ts";

/** Numbers in one tile: few enough that a tile stays in the processor's first-level cache. */
export const TILE = 2048;
export const NUMBER_BYTES = Float32Array.BYTES_PER_ELEMENT;
const OPERANDS = 4;
const TILES_BYTES = OPERANDS * TILE * NUMBER_BYTES;
/** Bytes at the start of each memory that hold no vectors. The system provides only those that are used. */
export const WORKSPACE_BYTES = 1 << 23;
const PAGE_BYTES = 65536;
/** The largest memory: 32-bit addresses. */
export const MEMORY_BYTES = 65536 * PAGE_BYTES;

/** A WebAssembly memory with the kernels that compute in it. It holds a workspace, then vectors. */
export interface KernelMemory {
	readonly kernels: Kernels;
	readonly threads: KernelThreads;
	readonly buffer: ArrayBufferLike;
	/** One tile per vector of a call, for vectors of other memories. */
	readonly tiles: readonly Float32Array[];
	/** The rest of the workspace, for copies of factors of outer products. */
	readonly factors: Float32Array;
}

const memories = new WeakMap<ArrayBufferLike, KernelMemory>();

const compiled = compileKernels();

/** @param bytes least size of the memory, which holds zeros, is shared with threads and never moves */
export function createKernelMemory(bytes: number): KernelMemory {
	const pages = Math.ceil(bytes / PAGE_BYTES);
	const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
	const { buffer } = memory;
	const kernels = kernelsOver(compiled, memory);
	const threads = new KernelThreads(kernels, { compiled, memory });
	const tiles = Array.from({ length: OPERANDS }, (_, i) => new Float32Array(buffer, i * TILE * NUMBER_BYTES, TILE));
	const factors = new Float32Array(buffer, TILES_BYTES, (WORKSPACE_BYTES - TILES_BYTES) / NUMBER_BYTES);
	return { kernels, threads, buffer, tiles, factors };
}

/** For numbers that don't lie in a kernel memory and are copied in and out. */
export const scratch = createKernelMemory(WORKSPACE_BYTES);

/**
 * Registers `buffer` as an alias of this memory, so that kernels work on its vectors in place. The memory is kept as
 * long as the buffer.
 */
export function registerAlias(buffer: ArrayBuffer, memory: KernelMemory): void {
	memories.set(buffer, memory);
}

/** The kernel memory in which a vector lies; undefined if it lies in none. */
export function kernelMemoryOf(vector: Float32Array): KernelMemory | undefined {
	return memories.get(vector.buffer);
}
