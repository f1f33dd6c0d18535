import { TailtuneError } from "../errors.ts";

/** A labelled text. */
export interface Example {
	readonly text: string;
	/** Index into the labels of its data set. */
	readonly label: number;
	/** Where it comes from, as "file:line", for messages. */
	readonly source: string;
}

/** Labelled texts, and the names of their labels. */
export interface Dataset {
	/** Distinct, sorted by code unit, so that the same labels have the same indices in any file. */
	readonly labels: readonly string[];
	readonly examples: readonly Example[];
}

/** A labelled text whose label isn't an index yet. */
export interface LabelledText {
	readonly text: string;
	readonly label: string;
	readonly source: string;
}

/** Gives labels their indices. */
export function toDataset(texts: readonly LabelledText[]): Dataset {
	const labels = [...new Set(texts.map(({ label }) => label))].sort();
	const indexOf = new Map(labels.map((label, index) => [label, index]));
	const examples = texts.map(({ text, label, source }) => ({ text, label: indexOf.get(label) as number, source }));
	return { labels, examples };
}

/**
 * The same texts under the labels of another data set, as of validation texts under those of the training texts.
 * @throws TailtuneError "data" that names the first text whose label isn't one of them
 */
export function withLabels(dataset: Dataset, labels: readonly string[]): Dataset {
	const indexOf = dataset.labels.map((label) => labels.indexOf(label));
	const examples = dataset.examples.map((example) => {
		const label = indexOf[example.label] as number;
		if (label >= 0) return { ...example, label };
		const found = JSON.stringify(dataset.labels[example.label]);
		throw new TailtuneError("data", `${example.source}: label ${found}, expected one of ${labels.join(", ")}`);
	});
	return { labels, examples };
}

/** How many texts each label has, by label index. */
export function countByLabel({ labels, examples }: Dataset): number[] {
	const counts = labels.map(() => 0);
	for (const { label } of examples) counts[label] = (counts[label] ?? 0) + 1;
	return counts;
}
