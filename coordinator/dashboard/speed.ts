/** Figures at a time, from which speeds are computed. */
export interface SpeedSample {
	readonly seconds: number;
	readonly figures: readonly number[];
}

/** Samples that are kept, and the least seconds between two of them: at least 15 seconds together. */
const MOST_SAMPLES = 30;
const SAMPLE_SECONDS = 0.5;

/** Adds a sample, or replaces the last one if it is as good as new. */
export function withSample(samples: readonly SpeedSample[], sample: SpeedSample): SpeedSample[] {
	const before = samples.at(-2);
	const isFresh = before !== undefined && sample.seconds - before.seconds < SAMPLE_SECONDS;
	return [...(isFresh ? samples.slice(0, -1) : samples), sample].slice(-MOST_SAMPLES);
}

/** Returns how much each figure grew per second; undefined if that isn't known. */
export function speedsOf(samples: readonly SpeedSample[]): number[] | undefined {
	const [first, last] = [samples[0], samples.at(-1)];
	const seconds = first && last ? last.seconds - first.seconds : 0;
	if (!first || !last || seconds <= 0) return undefined;
	return last.figures.map((figure, i) => (figure - (first.figures[i] ?? 0)) / seconds);
}
