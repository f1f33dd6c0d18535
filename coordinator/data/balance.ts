import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { type Dataset, examplesByLabel } from "./dataset.ts";

/** Undersamples every label to as many texts as the smallest has, chosen at random; the rest keeps its order. */
export function balance(dataset: Dataset, seed: number): Dataset {
	const { labels, examples } = dataset;
	const byLabel = examplesByLabel(dataset);
	const smallest = byLabel.reduce((least, own) => Math.min(least, own.length), examples.length);
	const kept = new Set(
		byLabel.flatMap((own, label) => seededShuffle(own, seed, `balance ${labels[label]}`).slice(0, smallest)),
	);
	return { labels, examples: examples.filter((_, index) => kept.has(index)) };
}
