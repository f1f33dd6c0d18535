import { TailtuneError } from "../../shared/errors.ts";
import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { countByLabel, type Dataset, type Example, examplesByLabel } from "./dataset.ts";

/** The three sets of a run, under the same labels. */
export interface Split {
	readonly train: Dataset;
	readonly validation: Dataset;
	readonly test: Dataset;
}

// So that each set can have one of every label.
const FEWEST_PER_LABEL = 3;

type Fractions = readonly [train: number, validation: number, test: number];

/**
 * Divides each label's texts among the sets by `shares`, so that all sets have the labels in the same proportions and none
 * lacks one. Which text goes where is random, and so is the order in a set.
 * @throws TailtuneError "data" for one label only, or a label with fewer than 3 texts
 */
export function split(dataset: Dataset, fractions: Fractions, seed: number): Split {
	assertSplittable(dataset);
	const { labels, examples } = dataset;
	const sets = { train: [] as number[], validation: [] as number[], test: [] as number[] };
	for (const [label, own] of examplesByLabel(dataset).entries()) {
		const shuffled = seededShuffle(own, seed, `split ${labels[label]}`);
		const [train, validation] = shares(own.length, fractions);
		for (const [index, place] of shuffled.entries())
			sets[index < train ? "train" : index < train + validation ? "validation" : "test"].push(place);
	}
	const pick = (set: keyof typeof sets): Dataset => ({
		labels,
		examples: seededShuffle(sets[set], seed, `split into ${set}`).map((place) => examples[place] as Example),
	});
	return { train: pick("train"), validation: pick("validation"), test: pick("test") };
}

/**
 * Whole numbers in the proportions of the fractions, by largest remainder: each exact share is rounded down, and what is
 * left goes to the largest remainders, to the earlier of equals. A share of none takes one from the largest share.
 * @param count to be divided, at least as many as fractions
 */
export function shares(count: number, fractions: Fractions): [number, number, number] {
	const exact = fractions.map((fraction) => count * fraction);
	const sizes = exact.map(Math.floor);
	const left = count - sizes.reduce((sum, size) => sum + size, 0);
	const remainder = (set: number) => (exact[set] ?? 0) - Math.floor(exact[set] ?? 0);
	const byRemainder = [...sizes.keys()].sort((a, b) => remainder(b) - remainder(a));
	for (const set of byRemainder.slice(0, left)) give(set, 1);
	for (const set of sizes.keys()) {
		if (sizes[set] !== 0) continue;
		give(sizes.indexOf(Math.max(...sizes)), -1);
		give(set, 1);
	}
	return sizes as [number, number, number];

	function give(set: number, texts: number): void {
		sizes[set] = (sizes[set] ?? 0) + texts;
	}
}

/**
 * Shuffles the texts and cuts them in three without regard to labels, as the book does: floor(n * train), floor(n *
 * validation), and the rest for the test.
 * @throws TailtuneError "data" as `split`, or for a set that would be empty
 */
export function splitAtRandom(dataset: Dataset, fractions: Fractions, seed: number): Split {
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

/** Throws TailtuneError "data", naming the first row of the label, if one has too few texts for three sets. */
export function assertSplittable(dataset: Dataset): void {
	assertSeveralLabels(dataset);
	for (const [label, count] of countByLabel(dataset).entries()) {
		if (count >= FEWEST_PER_LABEL) continue;
		const source = dataset.examples.find((example) => example.label === label)?.source;
		const found = `found ${count} ${count === 1 ? "text" : "texts"}`;
		const name = JSON.stringify(dataset.labels[label]);
		const expected = `expected at least ${FEWEST_PER_LABEL}, one for each set`;
		throw new TailtuneError("data", `${source}: label ${name}: ${found}, ${expected}`);
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
