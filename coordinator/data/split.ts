import { TailtuneError } from "../../shared/errors.ts";
import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { countByLabel, type Dataset, type Example, examplesByLabel } from "./dataset.ts";

/** The three sets of a run, with the same labels. */
export interface Split {
	readonly train: Dataset;
	readonly validation: Dataset;
	readonly test: Dataset;
}

// One text of every label for each set.
const FEWEST_PER_LABEL = 3;

type Fractions = readonly [train: number, validation: number, test: number];

/**
 * Divides each label's texts among the sets by `shares`, so that all sets have the labels in the same proportions, and
 * every set has every label. The texts are assigned at random, and are in random order within a set.
 * @throws TailtuneError "data" if there is only one label, or a label has fewer than 3 texts
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
 * Divides `count` in the proportions of the fractions, by the largest-remainder method: each exact share is rounded
 * down, and the rest goes to the largest remainders, the earlier one of equal ones first. A share of 0 takes 1 from the
 * largest.
 * @param count at least the number of fractions
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
 * Shuffles the texts and cuts them into three sets without regard to labels, as the book does: floor(n * train),
 * floor(n * validation), and the rest for the test.
 * @throws TailtuneError "data" as `split`, or if a set would be empty
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

/** Throws TailtuneError "data" that names a label's first row if the label has too few texts for three sets. */
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

/** Throws TailtuneError "data" that names the first row if there is only one label. */
export function assertSeveralLabels({ labels, examples }: Dataset): void {
	if (labels.length >= 2) return;
	const found = `found only label ${labels.map((label) => JSON.stringify(label)).join()} in ${examples.length} texts`;
	throw new TailtuneError("data", `${examples[0]?.source}: ${found}, expected at least 2 labels`);
}

/** Counts the texts of `test` that also occur, exactly equal, in `train`. */
export function countOverlap(train: Dataset, test: Dataset): number {
	const known = new Set(train.examples.map(({ text }) => text));
	return test.examples.filter(({ text }) => known.has(text)).length;
}
