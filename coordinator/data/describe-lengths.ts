/** Median, 95th percentile and maximum of the lengths of texts, in tokens. */
export interface LengthsSummary {
	readonly median: number;
	readonly p95: number;
	readonly longest: number;
}

/** Summarizes the lengths of texts; all 0 if there is no text. */
export function describeLengths(lengths: readonly number[]): LengthsSummary {
	const sorted = Uint32Array.from(lengths).sort();
	const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
	return { median: at(0.5), p95: at(0.95), longest: at(1) };
}
