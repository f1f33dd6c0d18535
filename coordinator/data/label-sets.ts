import { TailtuneError } from "../../shared/errors.ts";
import type { Dataset, SourcedText } from "./dataset.ts";
import { normalizeLabel } from "./label.ts";

/** Between the labels of a text. */
const BETWEEN_LABELS = "|";

/** A text with the names of its labels. */
export interface TextWithLabels extends SourcedText {
	/** Normalized, distinct; may be empty. */
	readonly labels: readonly string[];
}

/**
 * Returns the labels of a text: `a|b`, or a JSON list. Each is normalized by `normalizeLabel` and listed once.
 * @param field undefined or blank: the text has no label
 * @throws TailtuneError "data" that names the row for an empty label, or a list that has other values than labels
 */
export function splitLabels(field: string | undefined, source: string): string[] {
	const trimmed = field?.trim() ?? "";
	if (trimmed === "") return [];
	const parts = trimmed.startsWith("[") ? parseList(trimmed, source) : trimmed.split(BETWEEN_LABELS);
	const labels = parts.map(normalizeLabel);
	const unusable = labels.find((label) => label === "" || label.includes(BETWEEN_LABELS));
	if (unusable === undefined) return [...new Set(labels)];
	const found = `found ${JSON.stringify(unusable)} in ${JSON.stringify(trimmed.slice(0, 100))}`;
	throw new TailtuneError("data", `${source}: labels: ${found}, expected labels with ${BETWEEN_LABELS} between`);
}

function parseList(field: string, source: string): string[] {
	let list: unknown;
	try {
		list = JSON.parse(field);
	} catch {
		// Not a list: a label that begins with a bracket.
		return field.split(BETWEEN_LABELS);
	}
	const values: unknown[] = Array.isArray(list) ? list : [];
	if (values.every((value) => typeof value === "string" || typeof value === "number" || typeof value === "boolean"))
		return values.map(String);
	throw new TailtuneError("data", `${source}: labels: found ${field.slice(0, 100)}, expected a list of strings`);
}

/** Builds a data set of texts with any number of labels. */
export function toLabelSets(texts: readonly TextWithLabels[]): Dataset {
	const labels = [...new Set(texts.flatMap((text) => text.labels))].sort();
	const indexOf = new Map(labels.map((label, index) => [label, index]));
	const examples = texts.map(({ text, source, labels: names }) => {
		const own = names.map((name) => indexOf.get(name) as number).sort((a, b) => a - b);
		return { text, source, label: own[0] ?? 0, labels: own };
	});
	return { labels, examples };
}
