import { createHash } from "node:crypto";
import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";

/** A text and its source. */
export interface SourcedText {
	readonly text: string;
	/** For messages; for example "file:line". */
	readonly source: string;
}

/** A labelled text. */
export interface Example extends SourcedText {
	/** Index into the labels of the data set. If texts have several labels: the first one, or 0 if there is none. */
	readonly label: number;
	/** All indices, ascending, if texts have several labels. */
	readonly labels?: readonly number[];
}

/** Returns the label indices of a text. */
export function labelsOf({ label, labels }: Example): readonly number[] {
	return labels ?? [label];
}

/** Labelled texts and the names of their labels. */
export interface Dataset {
	/** Distinct, sorted by code unit, so that the same labels have the same indices in any file. */
	readonly labels: readonly string[];
	readonly examples: readonly Example[];
}

/** A labelled text whose label isn't an index yet. */
export interface LabelledText extends SourcedText {
	readonly label: string;
}

/** Builds a data set: collects the labels and gives them indices. */
export function toDataset(texts: readonly LabelledText[]): Dataset {
	const labels = [...new Set(texts.map(({ label }) => label))].sort();
	const indexOf = new Map(labels.map((label, index) => [label, index]));
	const examples = texts.map(({ text, label, source }) => ({ text, label: indexOf.get(label) as number, source }));
	return { labels, examples };
}

/**
 * Returns the same texts with the label indices of another data set: validation texts get those of the training texts.
 * @throws TailtuneError "data" that names the first text with an unknown label
 */
export function withLabels(dataset: Dataset, labels: readonly string[]): Dataset {
	const known = new Map(labels.map((label, index) => [label, index]));
	const indexOf = dataset.labels.map((label) => known.get(label) ?? -1);
	const examples = dataset.examples.map((example) => {
		const own = labelsOf(example).map((label) => indexOf[label] as number);
		const unknown = own.findIndex((label) => label < 0);
		if (unknown >= 0) {
			const found = JSON.stringify(dataset.labels[labelsOf(example)[unknown] ?? -1]);
			throw new TailtuneError("data", `${example.source}: label ${found}, expected one of ${nameSome(labels)}`);
		}
		const [label = 0] = own.sort((a, b) => a - b);
		return { ...example, label, ...(example.labels && { labels: own }) };
	});
	return { labels, examples };
}

/** Returns the indices of each label's examples, in order, by label index. */
export function examplesByLabel({ labels, examples }: Dataset): number[][] {
	const indices = labels.map((): number[] => []);
	for (const [index, example] of examples.entries()) for (const label of labelsOf(example)) indices[label]?.push(index);
	return indices;
}

/** Returns the number of texts of each label, by label index. */
export function countByLabel(dataset: Dataset): number[] {
	return examplesByLabel(dataset).map(({ length }) => length);
}

/** Returns the SHA-256 of texts and labels, in their order. Each text is added alone: all of them can be too long. */
export function hashDatasets(datasets: readonly Dataset[]): string {
	const hash = createHash("sha256");
	for (const { labels, examples } of datasets) {
		hash.update(JSON.stringify(labels));
		for (const example of examples) hash.update(JSON.stringify([labelsOf(example), example.text]));
	}
	return hash.digest("hex");
}
