import type { Sequence } from "../../shared/messages.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { effectiveSequence, type Padding } from "../../shared/sequences/effective-sequence.ts";
import type { LongTexts, RunConfig } from "../../shared/settings/config.ts";
import { type Example, hashDatasets, labelsOf as labelsOfExample, type SourcedText } from "../data/dataset.ts";
import { type DividedTokens, divideTokens } from "../data/divide-tokens.ts";
import { countAffixes, lengthFault, padLength, tokenizeWithin, tokenLimit } from "../data/limit-tokens.ts";
import type { LoadedSets } from "../data/load-sets.ts";
import { countOverlap } from "../data/split.ts";
import { assertBatchFits } from "../plan/plan-epoch.ts";
import type { PlannedText } from "../plan/planned-part.ts";
import type { ClassTexts, RunResult } from "../run-folder/result.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { assignSetShards, listSequences, mapSets, tokensOf } from "./run-sequences.ts";

/**
 * The texts of a run, in three sets. A text's id is its index over all sets. Workers compute *sequences* of tokens: the
 * first one of a text has the text's id; its further windows and its repeats have ids of their own.
 */
export interface RunTexts {
	readonly labels: readonly string[];
	readonly classes: number;
	/** Numbers of texts per class and set. */
	readonly classTexts: readonly ClassTexts[];
	/** The files that were read, and the number of texts that equal another one. */
	readonly data: Pick<LoadedSets, "files" | "equal">;
	/** Ids of the texts of each set. */
	readonly train: readonly number[];
	readonly validation: readonly number[];
	readonly test: readonly number[];
	/** Ids of the sequences from which an epoch learns: all windows of the training texts and of their repeats. */
	readonly learned: readonly number[];
	/** Data of each sequence for planning, by id. */
	readonly planned: readonly PlannedText[];
	/** Source of each text and how much of it is read, by id. */
	readonly details: readonly TextDetails[];
	readonly padding: Padding;
	/** Largest number of tokens of a sequence. */
	readonly maxTokens: number;
	/** How longer texts are read. */
	readonly long: LongTexts;
	/** Number of texts cut in each set. */
	readonly cut: RunResult["cut"];
	/** Number of windows of each set's texts; a short text counts as one. */
	readonly windows: RunResult["windows"];
	/** Number of distinct texts, and of test texts that are also in the training set. */
	readonly distinct: number;
	readonly overlap: number;
	/** The tokenizer that made the tokens. */
	readonly tokenizer: Tokenizer;
	/** SHA-256 of the texts, their labels and their sets, hexadecimal. */
	readonly hash: string;
	/** Returns the label of a text or a sequence. */
	labelOf(id: number): number;
	/** Returns the indices of all labels of a text or a sequence: several only with `--multi-label`. */
	labelsOf(id: number): readonly number[];
	/** Returns the number of texts among sequences: a text, or a repeat of it, counts with its first window. */
	countTexts(ids: readonly number[]): number;
	/** Returns the ids of the sequences whose mean logits are those of a text. */
	windowsOf(id: number): readonly number[];
	/** Returns a sequence as sent to workers. @param batchLongest tokens of the longest one in the batch */
	sequence(id: number, batchLongest: number): Sequence;
}

/** How a text is read. */
export interface TextDetails {
	/** The whole text. */
	readonly text: string;
	/** For messages; for example "file:line". */
	readonly source: string;
	/** Number of tokens that are read. */
	readonly tokens: number;
	/** Whether the text has more tokens. */
	readonly cut: boolean;
}

/** Tokenizes the texts, divides them by the limit and assigns their sequences to shards. */
export function prepareTexts(config: RunConfig, sets: LoadedSets, model: Gpt2Config, tokenizer: Tokenizer): RunTexts {
	const { train, validation, test } = sets;
	const examples = [...train.examples, ...validation.examples, ...test.examples];
	const { divided, padTo, limit } = readTokens(config, sets, model.n_positions, tokenizer);
	const { sequences, windowsOf, idsIn } = listSequences(divided, sets);
	assertBatchFits(idsIn.train.length, config.batch, config.shards);
	const exampleOf = (id: number) => examples[sequences[id]?.text ?? 0] as Example;
	const labelOf = (id: number) => exampleOf(id).label;
	const labelsOf = (id: number) => labelsOfExample(exampleOf(id));
	const shardOf = assignSetShards(sequences, idsIn, labelOf, config);
	const padding = { token: config.token, causal: config.causal, padTo, padId: tokenizer.padId };
	const textsIn = mapSets(idsIn, (ids) => ids.filter((id) => id < examples.length));
	return {
		labels: train.labels,
		classes: train.labels.length,
		classTexts: sets.classes,
		data: sets,
		...textsIn,
		learned: idsIn.train,
		planned: sequences.map(({ tokens }, id) => ({ id, tokens, shard: shardOf[id] ?? 0 })),
		details: examples.map(({ text, source }, id) => detailsOf({ text, source }, divided[id])),
		padding,
		maxTokens: limit.tokens,
		long: limit.long,
		cut: mapSets(textsIn, (ids) => ids.filter((id) => divided[id]?.cut).length),
		windows: mapSets(textsIn, (ids) => ids.reduce((sum, id) => sum + windowsOf(id).length, 0)),
		distinct: new Set(examples.map(({ text }) => text)).size,
		overlap: countOverlap(train.examples, test.examples),
		tokenizer,
		hash: hashDatasets([train, validation, test]),
		labelOf,
		labelsOf,
		countTexts: (ids) => ids.filter((id) => id < examples.length + sets.repeats.length).length,
		windowsOf,
		sequence(id, batchLongest) {
			const { tokens: all, ...pool } = effectiveSequence(tokensOf(sequences, id), padding, batchLongest);
			return { exampleId: id, tokens: Array.from(all), ...pool, labels: [...labelsOf(id)] };
		},
	};
}

function detailsOf({ text, source }: SourcedText, divided: DividedTokens | undefined): TextDetails {
	return { text, source, tokens: divided?.tokens ?? 0, cut: divided?.cut ?? false };
}

/** Tokenizes the texts of all sets and divides them by the limit. Returns the texts, the padding and the limit. */
function readTokens(config: RunConfig, { train, validation, test }: LoadedSets, context: number, tokenizer: Tokenizer) {
	const examples = [...train.examples, ...validation.examples, ...test.examples];
	const limit = countAffixes(tokenizer, tokenLimit(config, context));
	const whole = tokenizeWithin(examples, limit, tokenizer);
	for (const [id, { source }] of examples.entries()) {
		const fault = lengthFault(whole[id] as Uint32Array, source, limit);
		if (fault) throw fault;
	}
	const divided = whole.map((tokens) => divideTokens(tokens, limit));
	const padTo = padLength(
		config.pad,
		divided.slice(0, train.examples.length).flatMap(({ windows }) => windows),
	);
	if (config.pad !== "longest" || padTo === undefined) return { divided, padTo, limit };
	// With --pad longest, the longest training text is the limit of all texts, as in the reference implementation.
	const shorter = { ...limit, tokens: padTo, long: limit.long === "refuse" ? "cut" : limit.long } as const;
	return { divided: whole.map((tokens) => divideTokens(tokens, shorter)), padTo, limit: shorter };
}
