import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { describeLengths } from "./describe-lengths.ts";
import { divideTokens } from "./divide-tokens.ts";
import { similarLabels } from "./label.ts";
import type { TextWithLabels } from "./label-sets.ts";
import type { TokenLimit } from "./limit-tokens.ts";

type Limit = Pick<TokenLimit, "tokens" | "long">;

/** Classes, lengths and possible faults of labelled texts. */
export interface TextsReport {
	readonly texts: number;
	/** Most frequent first. */
	readonly classes: readonly { readonly label: string; readonly texts: number }[];
	/** Groups of labels that differ only in case, white space or invisible characters. */
	readonly similarLabels: readonly (readonly string[])[];
	/** Texts without a label; only if texts may have several. */
	readonly unlabelled: number;
	/** Texts that equal an earlier one. */
	readonly duplicates: number;
	/** Texts that equal an earlier one with other labels. */
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
		/** Tokens that a run computes: longer texts are cut, or divided into windows. */
		readonly computed: number;
		readonly limit: number;
		/** Texts with more tokens than the limit. */
		readonly overLimit: number;
	};
}

/**
 * Examines labelled texts.
 * @param texts at least one
 * @param limit maximum number of tokens of a text, and how longer ones are read
 */
export function inspectTexts(
	texts: readonly TextWithLabels[],
	limit: Limit,
	tokenizer: Pick<Tokenizer, "tokenize">,
): TextsReport {
	const counts = new Map<string, number>();
	const firstOf = new Map<string, TextWithLabels>();
	let duplicates = 0;
	let contradictions = 0;
	let contradictionAt: string[] = [];
	for (const own of texts) {
		for (const label of own.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
		const first = firstOf.get(own.text);
		if (first === undefined) firstOf.set(own.text, own);
		else duplicates++;
		if (first === undefined || namesOf(first) === namesOf(own)) continue;
		if (contradictions++ === 0) contradictionAt = [first.source, own.source];
	}
	const classes = [...counts].map(([label, count]) => ({ label, texts: count })).sort((a, b) => b.texts - a.texts);
	return {
		texts: texts.length,
		classes,
		similarLabels: similarLabels([...counts.keys()]),
		unlabelled: texts.filter(({ labels }) => labels.length === 0).length,
		duplicates,
		contradictions,
		contradictionAt,
		tokens: measureLengths(texts, limit, tokenizer),
	};
}

function namesOf({ labels }: TextWithLabels): string {
	return labels.toSorted().join("|");
}

function measureLengths(
	texts: readonly TextWithLabels[],
	limit: Limit,
	tokenizer: Pick<Tokenizer, "tokenize">,
): TextsReport["tokens"] {
	const tokens = tokenizer.tokenize(texts.map(({ text }) => text));
	const windows = tokens.flatMap((of) => divideTokens(of, limit).windows.map(({ length }) => length));
	const lengths = tokens.map(({ length }) => length);
	return {
		...describeLengths(lengths),
		total: lengths.reduce((sum, length) => sum + length, 0),
		computed: windows.reduce((sum, length) => sum + length, 0),
		limit: limit.tokens,
		overLimit: lengths.filter((length) => length > limit.tokens).length,
	};
}
