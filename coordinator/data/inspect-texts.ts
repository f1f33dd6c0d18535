import type { LabelledText } from "./dataset.ts";
import { similarLabels } from "./label.ts";
import { tokenize } from "./tokenize.ts";

/** Classes, lengths and possible faults of labelled texts. */
export interface TextsReport {
	readonly texts: number;
	/** Most frequent first. */
	readonly classes: readonly { readonly label: string; readonly texts: number }[];
	/** Groups of labels that differ only in case, white space or invisible characters. */
	readonly similarLabels: readonly (readonly string[])[];
	/** Texts that equal an earlier one. */
	readonly duplicates: number;
	/** Texts that equal an earlier one with another label. */
	readonly contradictions: number;
	/** Places of the first two texts that contradict each other. */
	readonly contradictionAt: readonly string[];
	/** Lengths in tokens. */
	readonly tokens: {
		readonly median: number;
		/** 95 of 100 texts have at most this many. */
		readonly p95: number;
		readonly longest: number;
		readonly total: number;
		readonly limit: number;
		/** Texts with more tokens than the limit. */
		readonly overLimit: number;
	};
}

/**
 * Examines labelled texts.
 * @param texts at least one
 * @param limit maximum number of tokens of a text
 */
export async function inspectTexts(texts: readonly LabelledText[], limit: number): Promise<TextsReport> {
	const counts = new Map<string, number>();
	const firstOf = new Map<string, LabelledText>();
	let duplicates = 0;
	let contradictions = 0;
	let contradictionAt: string[] = [];
	for (const own of texts) {
		counts.set(own.label, (counts.get(own.label) ?? 0) + 1);
		const first = firstOf.get(own.text);
		if (first === undefined) firstOf.set(own.text, own);
		else duplicates++;
		if (first === undefined || first.label === own.label) continue;
		if (contradictions++ === 0) contradictionAt = [first.source, own.source];
	}
	const classes = [...counts].map(([label, count]) => ({ label, texts: count })).sort((a, b) => b.texts - a.texts);
	return {
		texts: texts.length,
		classes,
		similarLabels: similarLabels([...counts.keys()]),
		duplicates,
		contradictions,
		contradictionAt,
		tokens: await measureLengths(texts, limit),
	};
}

async function measureLengths(texts: readonly LabelledText[], limit: number): Promise<TextsReport["tokens"]> {
	const lengths = new Uint32Array((await tokenize(texts.map(({ text }) => text))).map(({ length }) => length)).sort();
	const at = (share: number) => lengths[Math.ceil(share * lengths.length) - 1] ?? 0;
	return {
		median: at(0.5),
		p95: at(0.95),
		longest: at(1),
		total: lengths.reduce((sum, length) => sum + length, 0),
		limit,
		overLimit: lengths.filter((length) => length > limit).length,
	};
}
