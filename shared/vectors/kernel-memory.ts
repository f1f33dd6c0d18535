import { KernelThreads } from "./kernel-threads.ts";
import { compileKernels, type Kernels, kernelsOver } from "./kernels.ts";

/** Numbers worked on at a time: few enough that a tile stays in the processor's nearest cache. */
export const TILE = 2048;
export const NUMBER_BYTES = Float32Array.BYTES_PER_ELEMENT;
const OPERANDS = 4;
/** Where a memory's tiles end. */
export const TILES_BYTES = OPERANDS * TILE * NUMBER_BYTES;
const PAGE_BYTES = 65536;
/** The most that 32-bit addresses reach. */
export const MEMORY_BYTES = 65536 * PAGE_BYTES;

/** A memory and the kernels over it: first a tile for each operand, then the vectors that live in it. */
export interface Home {
	readonly kernels: Kernels;
	readonly threads: KernelThreads;
	readonly buffer: ArrayBufferLike;
	readonly tiles: readonly Float32Array[];
}

const compiled = compileKernels();

/** A home of at least that many bytes, all zeros, that threads can share. It never moves. */
export function createHome(bytes: number): Home {
	const pages = Math.ceil(bytes / PAGE_BYTES);
	const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
	const { buffer } = memory;
	const kernels = kernelsOver(compiled, memory);
	const threads = new KernelThreads(kernels, { compiled, memory });
	const tiles = Array.from({ length: OPERANDS }, (_, i) => new Float32Array(buffer, i * TILE * NUMBER_BYTES, TILE));
	return { kernels, threads, buffer, tiles };
}
