import { overVectors } from "./vector-kernels.ts";

/**
 * Adds `weight` times a gradient to a running sum, each operation rounded to float32: total = total + weight *
 * gradient. The first addend replaces the previous content. The order of calls is the order of summation and affects
 * the result, which is bit-identical on every machine.
 */
export function addWeighted(total: Float32Array, gradient: Float32Array, weight: number, isFirst: boolean): void {
	if (isFirst) total.fill(0);
	overVectors("addWeighted", [total, gradient], [weight], { length: total.length, written: 1 });
}
