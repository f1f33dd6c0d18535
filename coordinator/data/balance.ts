import { TailtuneError } from "../../shared/errors.ts";
import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { type Dataset, type Example, examplesByLabel } from "./dataset.ts";

/** Most repeats in a run: each takes about 100 bytes of memory. */
const MOST_REPEATS = 4_000_000;

/**
 * Undersamples every label to the number of texts of the smallest label. The texts to keep are chosen at random; they
 * stay in their order.
 */
export function undersample(dataset: Dataset, seed: number): Dataset {
	const { labels, examples } = dataset;
	const byLabel = examplesByLabel(dataset);
	const smallest = byLabel.reduce((least, own) => Math.min(least, own.length), examples.length);
	const kept = new Set(
		byLabel.flatMap((own, label) => seededShuffle(own, seed, `balance ${labels[label]}`).slice(0, smallest)),
	);
	return { labels, examples: examples.filter((_, index) => kept.has(index)) };
}

/**
 * Oversamples every label to the number of texts of the largest label. All texts of a label are repeated equally often;
 * the rest is chosen at random.
 * @returns the repeats only: the same objects as in the data set, once for each repeat
 * @throws TailtuneError "data" if there would be too many repeats
 */
export function repeatSmallLabels(dataset: Dataset, seed: number): Example[] {
	const { labels, examples } = dataset;
	const byLabel = examplesByLabel(dataset);
	const largest = byLabel.reduce((most, own) => Math.max(most, own.length), 0);
	const needed = largest * labels.length - examples.length;
	if (needed > MOST_REPEATS) {
		const found = `${labels.length} labels of up to ${largest} texts need ${needed} repeats`;
		throw new TailtuneError(
			"data",
			`--balance: oversample: ${found}, expected at most ${MOST_REPEATS}; or --balance none`,
		);
	}
	const repeats: Example[] = [];
	for (const [label, own] of byLabel.entries()) {
		const shuffled = seededShuffle(own, seed, `oversample ${labels[label]}`);
		for (let i = 0; i < largest - own.length; i++)
			repeats.push(examples[shuffled[i % own.length] as number] as Example);
	}
	return repeats;
}
