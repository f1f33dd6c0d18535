/** Takes the last free array if it has this length, otherwise creates one. @returns an array with any content */
export function takeArray(free: Float32Array[] | undefined, length: number): Float32Array {
	const last = free?.pop();
	return last?.length === length ? last : new Float32Array(length);
}
