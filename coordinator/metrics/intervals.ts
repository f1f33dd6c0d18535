import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import type { ClassCounts } from "./classification.ts";

/** Lower and upper bound of a 95 % confidence interval. */
export type Interval = [low: number, high: number];

const Z = 1.959964;
const TAIL = 0.025;

/** Always the same, so that the same predictions have the same intervals. */
const SEED = 1979;

const MOST_RESAMPLES = 1000;
const LEAST_RESAMPLES = 200;
/** Most counts drawn in all resamples together, unless the least number of resamples needs more. */
const MOST_DRAWN = 2_000_000;
/** Of a matrix with more cells that aren't 0 there are no intervals: they would take more than a second. */
const MOST_CELLS = 50_000;
/** From this variance on, a binomial distribution is drawn as a normal one. */
const NORMAL_FROM = 100;

/**
 * Computes Wilson's interval of a share that was measured on `count` items.
 * Wilson (1927), "Probable inference, the law of succession, and statistical inference".
 * @returns bounds within [0, 1]; null if the share is null (0 / 0)
 */
export function wilsonInterval(share: number, count: number): Interval;
export function wilsonInterval(share: number | null, count: number): Interval | null;
export function wilsonInterval(share: number | null, count: number): Interval | null {
	if (share === null) return null;
	const z2 = Z ** 2;
	const centre = share + z2 / (2 * count);
	const reach = Math.sqrt(z2 * ((share * (1 - share)) / count + z2 / (4 * count * count)));
	const scale = 1 + z2 / count;
	return [Math.max(0, (centre - reach) / scale), Math.min(1, (centre + reach) / scale)];
}

/** Number of texts with the same labels and the same predicted labels. */
export interface Cell {
	readonly own: readonly number[];
	readonly to: readonly number[];
	readonly count: number;
}

/** Returns the cells of a confusion matrix that aren't 0. */
export function cellsOf(confusion: readonly (readonly number[])[]): Cell[] {
	return confusion.flatMap((row, own) =>
		row.flatMap((count, to) => (count > 0 ? [{ own: [own], to: [to], count }] : [])),
	);
}

/**
 * Computes percentile bootstrap intervals of scores. Efron (1979), "Bootstrap methods: another look at the jackknife".
 * To draw as many texts as there are, with replacement, is to draw the counts of the cells from a multinomial
 * distribution, so the cost depends on the number of cells, not on the number of texts.
 * @param cells counts above 0, each of other labels or predictions
 * @param scoresOf returns a fixed number of scores of a resample; null is 0 / 0
 * @returns one interval per score, of the resamples in which it isn't null; null if there are none, or if there are
 *   more than 50,000 cells
 */
export function bootstrapIntervals(
	cells: readonly Cell[],
	classes: number,
	scoresOf: (counts: ClassCounts) => readonly (number | null)[],
): (Interval | null)[] {
	if (cells.length > MOST_CELLS) return scoresOf(countCells(cells, classes)).map(() => null);
	const random = xoroshiro128plus(SEED);
	const affordable = Math.floor(MOST_DRAWN / (cells.length + classes));
	const drawn: number[][] = [];
	for (let left = Math.max(LEAST_RESAMPLES, Math.min(MOST_RESAMPLES, affordable)); left > 0; left--) {
		for (const [i, score] of scoresOf(countCells(resample(cells, random), classes)).entries()) {
			drawn[i] ??= [];
			if (score !== null) drawn[i].push(score);
		}
	}
	return drawn.map(percentiles);
}

/** Draws as many texts as there are, with replacement. */
function resample(cells: readonly Cell[], random: RandomGenerator): Cell[] {
	let left = cells.reduce((total, { count }) => total + count, 0);
	let texts = left;
	return cells.map((cell) => {
		const count = drawBinomial(left, Math.min(1, cell.count / texts), random);
		texts -= cell.count;
		left -= count;
		return { ...cell, count };
	});
}

/** Counts the texts of each class in cells. */
export function countCells(cells: readonly Cell[], classes: number): ClassCounts {
	const zeros = () => new Array<number>(classes).fill(0);
	const [support, predicted, hits] = [zeros(), zeros(), zeros()];
	for (const { own, to, count } of cells) {
		for (const label of own) support[label] = (support[label] ?? 0) + count;
		for (const label of to) {
			predicted[label] = (predicted[label] ?? 0) + count;
			if (own.includes(label)) hits[label] = (hits[label] ?? 0) + count;
		}
	}
	return { support, predicted, hits };
}

function percentiles(values: readonly number[]): Interval | null {
	if (values.length === 0) return null;
	const sorted = Float64Array.from(values).sort();
	const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
	return [at(TAIL), at(1 - TAIL)];
}

/** Draws how many of `trials` succeed: exactly if that is soon done, else from the normal distribution. */
function drawBinomial(trials: number, chance: number, random: RandomGenerator): number {
	if (chance > 0.5) return trials - drawBinomial(trials, 1 - chance, random);
	if (trials === 0 || chance <= 0) return 0;
	const variance = trials * chance * (1 - chance);
	if (variance < NORMAL_FROM) return invertBinomial(trials, chance, random);
	const angle = 2 * Math.PI * uniformFloat64(random);
	const normal = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) * Math.cos(angle);
	return Math.max(0, Math.min(trials, Math.round(trials * chance + normal * Math.sqrt(variance))));
}

/** Returns the number of successes up to which the probability adds to a random share. */
function invertBinomial(trials: number, chance: number, random: RandomGenerator): number {
	const odds = chance / (1 - chance);
	let probability = Math.exp(trials * Math.log1p(-chance));
	let left = uniformFloat64(random) - probability;
	let successes = 0;
	while (left >= 0 && successes < trials) {
		probability *= (odds * (trials - successes)) / (successes + 1);
		left -= probability;
		successes++;
	}
	return successes;
}
