import { readFileSync } from "node:fs";

/** Arguments of each kernel in vector-kernels.wat, after the addresses of its vectors. */
export interface KernelScalars {
	readonly stepAdamW: readonly [
		...[beta1: number, share1: number, beta2: number, share2: number],
		...[decay: number, step: number, epsilon: number],
	];
	readonly addWeighted: readonly [weight: number];
	readonly findNotFinite: readonly [];
}

export type KernelName = keyof KernelScalars;

/** One call of a kernel: the address of each vector, and the length of each in bytes, a multiple of 16. */
export interface KernelCall {
	readonly kernel: KernelName;
	readonly bytes: number;
	readonly at: readonly number[];
	readonly scalars: KernelScalars[KernelName];
}

/** Runs one call. @returns the kernel's result; 0 if it has none */
export type Kernels = (call: KernelCall) => number;

/** The compiled kernels of vector-kernels.wasm, for any memory. They can be posted to a thread. */
export function compileKernels(): WebAssembly.Module {
	return new WebAssembly.Module(readFileSync(new URL("./vector-kernels.wasm", import.meta.url)));
}

/** Data that a kernel thread gets when it starts. */
export interface KernelThreadData {
	readonly compiled: WebAssembly.Module;
	/** The shared memory of the calling thread's kernels. */
	readonly memory: WebAssembly.Memory;
}

/** Kernels that compute in this memory. */
export function kernelsOver(compiled: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
	const { exports } = new WebAssembly.Instance(compiled, { vectors: { memory } });
	const functions = exports as Record<KernelName, (...args: number[]) => number | undefined>;
	return ({ kernel, bytes, at, scalars }) => functions[kernel](bytes, ...at, ...scalars) ?? 0;
}
