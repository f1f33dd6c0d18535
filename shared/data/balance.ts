import { countByLabel, type Dataset } from "./dataset.ts";
import { seededShuffle } from "./seeded-shuffle.ts";

/** Undersamples every label to as many texts as the smallest has, chosen at random; the rest keeps its order. */
export function balance(dataset: Dataset, seed: number): Dataset {
	const { labels, examples } = dataset;
	const smallest = Math.min(...countByLabel(dataset));
	const chosen = labels.flatMap((name, label) => {
		const own = [...examples.keys()].filter((index) => examples[index]?.label === label);
		return seededShuffle(own, seed, `balance ${name}`).slice(0, smallest);
	});
	const kept = new Set(chosen);
	return { labels, examples: examples.filter((_, index) => kept.has(index)) };
}
