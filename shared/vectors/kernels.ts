import { readFileSync } from "node:fs";

/** Arguments of each kernel in vector-kernels.wat, after the size and the addresses. */
export interface KernelScalars {
	readonly stepAdamW: readonly [
		...[beta1: number, share1: number, beta2: number, share2: number],
		...[decay: number, step: number, epsilon: number, scale: number],
	];
	readonly addWeighted: readonly [weight: number];
	readonly findNotFinite: readonly [];
	readonly sumHashes: readonly [];
	/** Bytes from one row of the factor to the next, bytes of a row, bytes of a group. */
	readonly packFactor: readonly [stride: number, length: number, group: number];
	/** Bytes from one row of the target to the next, bytes of a row, outer products, bytes of a row in one pass. */
	readonly sumOuterProducts: readonly [stride: number, columns: number, rank: number, pass: number];
}

export type KernelName = keyof KernelScalars;

/** One call of a kernel. */
export interface KernelCall {
	readonly kernel: KernelName;
	/**
	 * Bytes of each vector, a multiple of 16; for `packFactor` rows of the factor; for `sumOuterProducts` rows of the
	 * target, a multiple of 4.
	 */
	readonly size: number;
	/** Addresses in bytes. For `sumHashes` the second one is the vector's position in a longer one. */
	readonly at: readonly number[];
	readonly scalars: KernelScalars[KernelName];
}

/** A call and how threads divide its work. */
export interface DividedCall extends KernelCall {
	/** Size of each chunk but the last: small, so that threads finish together; large, so that the calls cost little. */
	readonly chunk: number;
	/** By how many bytes each address grows for each unit of the size. */
	readonly steps: readonly number[];
}

/** Adds the result of a chunk to those of the others: hashes are summed modulo 2^32, marks are combined by OR. */
export function addResult(kernel: KernelName, results: Int32Array, at: number, result: number): void {
	if (kernel === "sumHashes") Atomics.add(results, at, result);
	else Atomics.or(results, at, result);
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
	return ({ kernel, size, at, scalars }) => functions[kernel](size, ...at, ...scalars) ?? 0;
}
