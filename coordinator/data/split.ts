import { TailtuneError } from "../../shared/errors.ts";
import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { countByLabel, type Dataset, type Example, labelsOf } from "./dataset.ts";
import { type Fractions, shares } from "./shares.ts";
import { stratify } from "./stratify.ts";

/** The three sets of a run, with the same labels. */
export interface Split {
	readonly train: Dataset;
	readonly validation: Dataset;
	readonly test: Dataset;
}

// One text of every label for each set.
const FEWEST_PER_LABEL = 3;

/**
 * Divides each label's texts among the sets by `shares`, so that all sets have the labels in the same proportions, and
 * every set has every label. The texts are assigned at random, and are in random order within a set. Equal texts are in
 * the same set, unless a label has fewer than 3 groups of them; large groups make the proportions less exact.
 * @param groups indices of the texts that are equal, from `groupEqual`; default: each text is a group
 * @throws TailtuneError "data" if there is only one label, or a label has fewer than 3 texts
 */
export function split(
	dataset: Dataset,
	fractions: Fractions,
	seed: number,
	groups?: readonly (readonly number[])[],
): Split {
	assertSplittable(dataset);
	const [train, validation, test] = assignTexts(dataset, fractions, seed, groups);
	const pick = (set: readonly number[] = [], name: string) => pickShuffled(dataset, set, seed, name);
	return { train: pick(train, "train"), validation: pick(validation, "validation"), test: pick(test, "test") };
}

/** Which part of the texts is the test set in cross-validation. */
export interface Fold {
	/** From 1. */
	readonly number: number;
	readonly of: number;
}

/**
 * Splits the texts for cross-validation: divides them into equal parts, with the labels in the same proportions. One
 * part is the test set; the texts of the others are divided into training and validation in the proportions of
 * `fractions`. Equal texts are in the same set, as in `split`.
 * @param groupOf returns the groups of equal texts of some texts
 * @throws TailtuneError "data" if there is only one label, or a label has fewer texts than there are parts
 */
export function splitForFold(
	dataset: Dataset,
	fold: Fold,
	fractions: Fractions,
	seed: number,
	groupOf: (examples: readonly Example[]) => number[][],
): Split {
	assertSplittable(dataset, fold.of, "fold");
	const { labels, examples } = dataset;
	const parts = assignTexts(dataset, Array(fold.of).fill(1 / fold.of), seed, groupOf(examples));
	const test = parts[fold.number - 1] ?? [];
	const others = parts.filter((part) => part !== test).flat();
	const rest = { labels, examples: others.sort((a, b) => a - b).map((place) => examples[place] as Example) };
	const learned = fractions[0] / (fractions[0] + fractions[1]);
	const [train = [], validation = []] = assignTexts(rest, [learned, 1 - learned], seed, groupOf(rest.examples));
	return {
		train: pickShuffled(rest, train, seed, "train"),
		validation: pickShuffled(rest, validation, seed, "validation"),
		test: pickShuffled(dataset, test, seed, "test"),
	};
}

/** Returns the texts of a set in random order. */
function pickShuffled({ labels, examples }: Dataset, set: readonly number[], seed: number, name: string): Dataset {
	return {
		labels,
		examples: seededShuffle(set, seed, `split into ${name}`).map((place) => examples[place] as Example),
	};
}

/** Assigns the texts to sets in the proportions of `fractions`. Returns the indices of each set's texts. */
function assignTexts(
	dataset: Dataset,
	fractions: readonly number[],
	seed: number,
	groups: readonly (readonly number[])[] = dataset.examples.map((_, index) => [index]),
): number[][] {
	const assign = dataset.examples.some((example) => example.labels) ? assignLabelSets : assignGroups;
	return assign(dataset, fractions, seed, groups);
}

/** Assigns the groups of one label after the other. Returns the indices of each set's texts. */
function assignGroups(
	dataset: Dataset,
	fractions: readonly number[],
	seed: number,
	groups: readonly (readonly number[])[],
): number[][] {
	const { labels, examples } = dataset;
	const labelOf = (place: number | undefined) => examples[place ?? -1]?.label ?? 0;
	const sets = fractions.map((): number[] => []);
	// For each label: texts that each set still needs, and texts that it has.
	const left = countByLabel(dataset).map((count) => shares(count, fractions));
	const taken = labels.map(() => fractions.map(() => 0));
	for (const [label, own] of ownedByLabel(dataset, groups, fractions.length).entries()) {
		const shuffled = seededShuffle(own, seed, `split ${labels[label]}`);
		for (const [index, group] of shuffled.entries()) {
			const size = group.filter((place) => labelOf(place) === label).length;
			const set = chooseSet(left[label] ?? [], taken[label] ?? [], size, shuffled.length - index);
			for (const place of group) {
				sets[set]?.push(place);
				add(left[labelOf(place)], set, -1);
				add(taken[labelOf(place)], set, 1);
			}
		}
	}
	return sets;
}

function add(counts: number[] | undefined, set: number, texts: number): void {
	if (counts) counts[set] = (counts[set] ?? 0) + texts;
}

/**
 * Returns the groups of each label. A group of several labels belongs to the first of them. If a label has fewer groups
 * than there are sets, its groups are divided into single texts.
 */
function ownedByLabel(
	{ labels, examples }: Dataset,
	groups: readonly (readonly number[])[],
	sets: number,
): (readonly number[])[][] {
	const labelsIn = (group: readonly number[]) => group.map((place) => examples[place]?.label ?? 0);
	const ownerOf = (group: readonly number[]) => labelsIn(group).reduce((first, label) => Math.min(first, label));
	const counts = labels.map(() => 0);
	for (const group of groups) add(counts, ownerOf(group), 1);
	const isFew = (label: number) => (counts[label] ?? 0) < sets;
	const owned = labels.map((): (readonly number[])[] => []);
	for (const group of groups) {
		const units = labelsIn(group).some(isFew) ? group.map((place) => [place]) : [group];
		for (const unit of units) owned[ownerOf(unit)]?.push(unit);
	}
	return owned;
}

/**
 * Chooses the set of a group: the first set that needs as many texts, otherwise the set that needs the most. The last
 * groups go to sets without a text of their label.
 * @param size texts of the label in the group
 * @param groups that aren't assigned yet, with this one
 */
function chooseSet(left: readonly number[], taken: readonly number[], size: number, groups: number): number {
	const empty = [...taken.keys()].filter((set) => taken[set] === 0);
	if (groups <= empty.length) return empty[0] ?? 0;
	const fitting = left.findIndex((texts) => texts >= size);
	return fitting >= 0 ? fitting : left.indexOf(Math.max(...left));
}

/**
 * Assigns groups of texts with several labels by `stratify`. If a label has fewer groups than there are sets, its
 * groups are divided into single texts.
 * @returns the indices of each set's texts
 */
function assignLabelSets(
	{ labels, examples }: Dataset,
	fractions: readonly number[],
	seed: number,
	groups: readonly (readonly number[])[],
): number[][] {
	const labelsIn = (group: readonly number[]) => [
		...new Set(group.flatMap((place) => labelsOf(examples[place] as Example))),
	];
	const counts = labels.map(() => 0);
	for (const label of groups.flatMap(labelsIn)) add(counts, label, 1);
	const isFew = (label: number) => (counts[label] ?? 0) < fractions.length;
	const units = groups.flatMap((group) => (labelsIn(group).some(isFew) ? group.map((place) => [place]) : [group]));
	const setOf = stratify(units.map(labelsIn), labels.length, fractions, seed);
	return fractions.map((_, set) => units.flatMap((unit, index) => (setOf[index] === set ? unit : [])));
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

/** Throws TailtuneError "data" that names a label's first row if the label has fewer texts than there are sets. */
export function assertSplittable(dataset: Dataset, sets = FEWEST_PER_LABEL, name = "set"): void {
	assertSeveralLabels(dataset);
	for (const [label, count] of countByLabel(dataset).entries()) {
		if (count >= sets) continue;
		const source = dataset.examples.find((example) => labelsOf(example).includes(label))?.source;
		const found = `found ${count} ${count === 1 ? "text" : "texts"}`;
		const expected = `expected at least ${sets}, one for each ${name}`;
		throw new TailtuneError("data", `${source}: label ${JSON.stringify(dataset.labels[label])}: ${found}, ${expected}`);
	}
}

/** Throws TailtuneError "data" that names the first row if there is only one label. */
export function assertSeveralLabels({ labels, examples }: Dataset): void {
	if (labels.length >= 2) return;
	const found = `found only label ${labels.map((label) => JSON.stringify(label)).join()} in ${examples.length} texts`;
	throw new TailtuneError("data", `${examples[0]?.source}: ${found}, expected at least 2 labels`);
}

/** Counts the texts that also occur, exactly equal, among the training texts. */
export function countOverlap(
	training: readonly Pick<Example, "text">[],
	texts: readonly Pick<Example, "text">[],
): number {
	const known = new Set(training.map(({ text }) => text));
	return texts.filter(({ text }) => known.has(text)).length;
}
