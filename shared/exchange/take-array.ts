/** The array of each view that `takeArray` has returned. */
const arrayOf = new WeakMap<Float32Array, Float32Array>();

/**
 * Takes the last free array, or its start if it is longer; creates an array if it is too short. Gradients with rows of
 * embeddings have different lengths.
 * @returns numbers of any content, which `releaseArrays` makes free again
 */
export function takeArray(free: Float32Array[] | undefined, length: number): Float32Array {
	const last = free?.pop();
	if (!last || last.length < length) return new Float32Array(length);
	if (last.length === length) return last;
	const taken = last.subarray(0, length);
	arrayOf.set(taken, last);
	return taken;
}

/** Returns the array whose start was taken; any other array itself. */
export function wholeArray(taken: Float32Array): Float32Array {
	return arrayOf.get(taken) ?? taken;
}

/** Adds arrays, or those whose starts were taken, to the free ones. */
export function releaseArrays(free: Float32Array[] | undefined, ...taken: readonly Float32Array[]): void {
	free?.push(...taken.map(wholeArray));
}
