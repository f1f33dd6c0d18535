import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { type Dataset, examplesByLabel } from "./dataset.ts";

/**
 * Undersamples every label to the number of texts of the smallest label. The texts to keep are chosen at random; they
 * stay in their order.
 */
export function balance(dataset: Dataset, seed: number): Dataset {
	const { labels, examples } = dataset;
	const byLabel = examplesByLabel(dataset);
	const smallest = byLabel.reduce((least, own) => Math.min(least, own.length), examples.length);
	const kept = new Set(
		byLabel.flatMap((own, label) => seededShuffle(own, seed, `balance ${labels[label]}`).slice(0, smallest)),
	);
	return { labels, examples: examples.filter((_, index) => kept.has(index)) };
}
