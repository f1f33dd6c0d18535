import { TailtuneError } from "../errors.ts";
import { countByLabel, type Dataset } from "./dataset.ts";
import { seededShuffle } from "./seeded-shuffle.ts";

/** The three sets of a run, under the same labels. */
export interface Split {
	readonly train: Dataset;
	readonly validation: Dataset;
	readonly test: Dataset;
}

// So that each set can have one of every label.
const FEWEST_PER_LABEL = 3;

/**
 * Shuffles the texts and cuts them in three: floor(n * train), floor(n * validation), and the rest for the test.
 * @param fractions train, validation, test
 * @throws TailtuneError "data" for one label only, a label with fewer than 3 texts, or a set that would be empty
 */
export function split(dataset: Dataset, fractions: readonly [number, number, number], seed: number): Split {
	assertSplittable(dataset);
	const { labels, examples } = dataset;
	const shuffled = seededShuffle(examples, seed, "split");
	const trainEnd = Math.floor(examples.length * fractions[0]);
	const validationEnd = trainEnd + Math.floor(examples.length * fractions[1]);
	const sets = {
		train: { labels, examples: shuffled.slice(0, trainEnd) },
		validation: { labels, examples: shuffled.slice(trainEnd, validationEnd) },
		test: { labels, examples: shuffled.slice(validationEnd) },
	};
	for (const [name, set] of Object.entries(sets)) {
		if (set.examples.length > 0) continue;
		const found = `${fractions.join(",")} of ${examples.length} texts leaves none for ${name}`;
		throw new TailtuneError("data", `--split: ${found}, expected at least one in each set`);
	}
	return sets;
}

/** Throws TailtuneError "data", naming the first row of the label, where one has too few texts for three sets. */
export function assertSplittable(dataset: Dataset): void {
	assertSeveralLabels(dataset);
	for (const [label, count] of countByLabel(dataset).entries()) {
		if (count >= FEWEST_PER_LABEL) continue;
		const source = dataset.examples.find((example) => example.label === label)?.source;
		const found = `found ${count} ${count === 1 ? "text" : "texts"}`;
		const name = JSON.stringify(dataset.labels[label]);
		throw new TailtuneError("data", `${source}: label ${name}: ${found}, expected at least ${FEWEST_PER_LABEL}`);
	}
}

/** Throws TailtuneError "data", naming the first row, where there is nothing to tell apart. */
export function assertSeveralLabels({ labels, examples }: Dataset): void {
	if (labels.length >= 2) return;
	const found = `found only label ${labels.map((label) => JSON.stringify(label)).join()} in ${examples.length} texts`;
	throw new TailtuneError("data", `${examples[0]?.source}: ${found}, expected at least 2 labels`);
}

/** How many texts of the second set also occur, to the letter, in the first. */
export function countOverlap(train: Dataset, test: Dataset): number {
	const known = new Set(train.examples.map(({ text }) => text));
	return test.examples.filter(({ text }) => known.has(text)).length;
}
