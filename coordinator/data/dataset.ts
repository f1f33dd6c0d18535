import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";

/** A text, and the place that it comes from. */
export interface SourcedText {
	readonly text: string;
	/** As in "file:line", for messages. */
	readonly source: string;
}

/** A labelled text. */
export interface Example extends SourcedText {
	/** Index into the labels of its data set. */
	readonly label: number;
}

/** Labelled texts, and the names of their labels. */
export interface Dataset {
	/** Distinct, sorted by code unit, so that the same labels have the same indices in any file. */
	readonly labels: readonly string[];
	readonly examples: readonly Example[];
}

/** A labelled text whose label isn't an index yet. */
export interface LabelledText extends SourcedText {
	readonly label: string;
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
	const known = new Map(labels.map((label, index) => [label, index]));
	const indexOf = dataset.labels.map((label) => known.get(label) ?? -1);
	const examples = dataset.examples.map((example) => {
		const label = indexOf[example.label] as number;
		if (label >= 0) return { ...example, label };
		const found = JSON.stringify(dataset.labels[example.label]);
		throw new TailtuneError("data", `${example.source}: label ${found}, expected one of ${nameSome(labels)}`);
	});
	return { labels, examples };
}

/** The places of each label's texts among the examples, in order, by label index. */
export function examplesByLabel({ labels, examples }: Dataset): number[][] {
	const places = labels.map((): number[] => []);
	for (const [place, { label }] of examples.entries()) places[label]?.push(place);
	return places;
}

/** How many texts each label has, by label index. */
export function countByLabel(dataset: Dataset): number[] {
	return examplesByLabel(dataset).map(({ length }) => length);
}
