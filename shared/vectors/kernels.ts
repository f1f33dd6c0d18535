import { readFileSync } from "node:fs";

/** What a kernel of vector-kernels.wat takes behind the addresses of its vectors. */
export interface KernelScalars {
	readonly stepAdamW: readonly [
		...[beta1: number, share1: number, beta2: number, share2: number],
		...[decay: number, step: number, epsilon: number],
	];
	readonly addWeighted: readonly [weight: number];
	readonly findNotFinite: readonly [];
}

export type KernelName = keyof KernelScalars;

/** A kernel's work: each vector lies at its address and is `bytes` long, a multiple of 16. */
export interface KernelCall {
	readonly kernel: KernelName;
	readonly bytes: number;
	readonly at: readonly number[];
	readonly scalars: KernelScalars[KernelName];
}

/** Does a call. @returns what it found; 0 where it looks for nothing */
export type Kernels = (call: KernelCall) => number;

/** The kernels of vector-kernels.wasm for any memory; can be posted to a thread. */
export function compileKernels(): WebAssembly.Module {
	return new WebAssembly.Module(readFileSync(new URL("./vector-kernels.wasm", import.meta.url)));
}

/** Kernels that compute in a memory. */
export function kernelsOver(compiled: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
	const { exports } = new WebAssembly.Instance(compiled, { vectors: { memory } });
	const functions = exports as Record<KernelName, (...args: number[]) => number | undefined>;
	return ({ kernel, bytes, at, scalars }) => functions[kernel](bytes, ...at, ...scalars) ?? 0;
}
