import { overVectors } from "./vector-kernels.ts";

/**
 * A fingerprint of 32 bits of all numbers' bits and of their order. It is the same on every machine, for every number
 * of threads and every kind of memory. Another value of a single number always changes it. Any other difference
 * (several numbers, swapped or shifted ones, another length) changes it except by chance, about once in 2^32 cases. It
 * finds faults and divergence, not somebody who wants to deceive: other numbers with the same fingerprint are easy to
 * make.
 * @param threads that compute if the numbers lie in a kernel memory and are many
 */
export function fingerprintOf(numbers: Float32Array, threads?: number): number {
	const { length } = numbers;
	return (overVectors("sumHashes", [numbers], [], { length, written: 0, threads, isPositional: true }) + length) >>> 0;
}
