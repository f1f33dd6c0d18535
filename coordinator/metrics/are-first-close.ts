/** A row of a ranking: mean and standard deviation of its scores, and the epochs after which they were measured. */
interface RankedScores {
	readonly epochs?: number | undefined;
	readonly validation: { readonly mean: number; readonly deviation: number | null };
}

/** Returns whether the first two scores differ by less than one standard deviation of the first one. */
export function areFirstClose([first, second]: readonly RankedScores[]): boolean {
	if (!first || !second || first.epochs !== second.epochs || first.validation.deviation === null) return false;
	return Math.abs(first.validation.mean - second.validation.mean) <= first.validation.deviation;
}
