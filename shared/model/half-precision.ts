/**
 * Converts 16-bit numbers to float32, exactly.
 * @param from bit patterns; may be in the second half of the memory of `to`
 */
export function widen(type: "F16" | "BF16", from: Uint16Array, to: Float32Array): void {
	if (type === "BF16") {
		const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
		for (let i = 0; i < from.length; i++) bits[i] = (from[i] as number) << 16;
		return;
	}
	halves ??= Float32Array.from({ length: 0x10000 }, (_, pattern) => halfValue(pattern));
	for (let i = 0; i < from.length; i++) to[i] = halves[from[i] as number] as number;
}

// A table is several times faster than computing each value from its bits.
let halves: Float32Array | undefined;

/** Returns the value of a float16 bit pattern (IEEE 754-2019, section 3.4). */
function halfValue(pattern: number): number {
	const sign = pattern & 0x8000 ? -1 : 1;
	const exponent = (pattern >> 10) & 31;
	const fraction = pattern & 0x3ff;
	if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
	return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}
