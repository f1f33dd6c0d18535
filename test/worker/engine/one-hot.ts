/** Returns the targets [classes] of a text with one label: 1 for the label. */
export function oneHot(label: number, classes: number): Float32Array {
	return Float32Array.from({ length: classes }, (_, c) => (c === label ? 1 : 0));
}
