import { overVectors } from "./vector-kernels.ts";

/** Whether no number is NaN or infinite. */
export function allFinite(numbers: Float32Array): boolean {
	return overVectors("findNotFinite", [numbers], [], { length: numbers.length, written: 0 }) === 0;
}
