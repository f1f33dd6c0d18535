import { overTiles } from "./kernels/vector-kernels.ts";

/** Whether no number is NaN or infinite. */
export function allFinite(numbers: Float32Array): boolean {
	let found = 0;
	overTiles([numbers], { length: numbers.length, written: 0 }, (kernels, bytes, [at = 0]) => {
		found |= kernels.findNotFinite(bytes, at);
	});
	return found === 0;
}
