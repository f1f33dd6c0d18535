import { KernelThreads } from "./kernel-threads.ts";
import { compileKernels, type Kernels, kernelsOver } from "./kernels.ts";

/** Numbers in one tile: few enough that a tile stays in the processor's first-level cache. */
export const TILE = 2048;
export const NUMBER_BYTES = Float32Array.BYTES_PER_ELEMENT;
const OPERANDS = 4;
/** Bytes of the tiles, which lie at the start of each memory. */
export const TILES_BYTES = OPERANDS * TILE * NUMBER_BYTES;
const PAGE_BYTES = 65536;
/** The largest memory: 32-bit addresses. */
export const MEMORY_BYTES = 65536 * PAGE_BYTES;

/** A WebAssembly memory with the kernels that compute in it. It holds one tile per operand, then vectors. */
export interface KernelMemory {
	readonly kernels: Kernels;
	readonly threads: KernelThreads;
	readonly buffer: ArrayBufferLike;
	readonly tiles: readonly Float32Array[];
}

const compiled = compileKernels();

/** @param bytes least size of the memory, which holds zeros, is shared with threads and never moves */
export function createKernelMemory(bytes: number): KernelMemory {
	const pages = Math.ceil(bytes / PAGE_BYTES);
	const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
	const { buffer } = memory;
	const kernels = kernelsOver(compiled, memory);
	const threads = new KernelThreads(kernels, { compiled, memory });
	const tiles = Array.from({ length: OPERANDS }, (_, i) => new Float32Array(buffer, i * TILE * NUMBER_BYTES, TILE));
	return { kernels, threads, buffer, tiles };
}
