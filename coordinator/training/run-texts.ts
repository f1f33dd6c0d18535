import { createHash } from "node:crypto";
import type { Sequence } from "../../shared/messages.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { effectiveSequence, PAD_ID, type Padding } from "../../shared/sequences/effective-sequence.ts";
import type { RunConfig } from "../../shared/settings/config.ts";
import type { Dataset, Example } from "../data/dataset.ts";
import { limitTokens, padLength, tokenizeWithin, tokenLimit } from "../data/limit-tokens.ts";
import type { LoadedSets } from "../data/load-sets.ts";
import { countOverlap, type Split } from "../data/split.ts";
import { assignShards } from "../plan/assign-shards.ts";
import { assertBatchFits } from "../plan/plan-epoch.ts";
import type { PlannedText } from "../plan/planned-part.ts";
import type { ClassTexts, RunResult } from "../run-folder/result.ts";

/** The texts of a run, in three sets. A text's id is its index over all sets; each repeat has an id of its own. */
export interface RunTexts {
	readonly labels: readonly string[];
	readonly classes: number;
	/** Numbers of texts per class and set. */
	readonly classTexts: readonly ClassTexts[];
	/** Ids by set. */
	readonly train: readonly number[];
	readonly validation: readonly number[];
	readonly test: readonly number[];
	/** Ids of repeats of training texts: an epoch learns from them, but they aren't evaluated. */
	readonly repeats: readonly number[];
	/** Data of each text for planning, by id. */
	readonly planned: readonly PlannedText[];
	/** Source of each text and how much of it is read, by id. */
	readonly details: readonly TextDetails[];
	readonly padding: Padding;
	/** Largest number of tokens of a text. */
	readonly maxTokens: number;
	/** Whether a longer text is cut; otherwise it is refused. */
	readonly truncate: boolean;
	/** Number of texts cut in each set. */
	readonly cut: RunResult["cut"];
	/** Number of distinct texts, and of test texts that are also in the training set. */
	readonly distinct: number;
	readonly overlap: number;
	/** SHA-256 of the texts, their labels and their sets, hexadecimal. */
	readonly hash: string;
	labelOf(id: number): number;
	/** Returns a text as sent to workers. @param batchLongest tokens of the longest text in the batch */
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

/** Tokenizes the texts, cuts them to the limit and assigns them to shards. */
export async function prepareTexts(config: RunConfig, sets: LoadedSets, model: Gpt2Config): Promise<RunTexts> {
	const { train, validation, test, classes: classTexts } = sets;
	const examples = [...train.examples, ...validation.examples, ...test.examples];
	assertBatchFits(train.examples.length + sets.repeats.length, config.batch, config.shards);
	const { tokens, details, padTo, maxTokens, truncate } = await readTokens(config, sets, model.n_positions);
	const originals = findOriginals(examples, sets.repeats);
	const shardOf = assignSetShards(sets, originals.slice(examples.length), config);
	const padding = { token: config.token, causal: config.causal, padTo, padId: PAD_ID };
	const labelOf = (id: number) => examples[originals[id] ?? 0]?.label ?? 0;
	const tokensOf = (id: number) => tokens[originals[id] ?? 0] ?? new Uint32Array();
	const ids = [...examples.keys()];
	const testStart = examples.length - test.examples.length;
	const ofSet = {
		train: ids.slice(0, train.examples.length),
		validation: ids.slice(train.examples.length, testStart),
		test: ids.slice(testStart),
	};
	const cutIn = (set: keyof typeof ofSet) => ofSet[set].filter((id) => details[id]?.cut).length;
	return {
		labels: train.labels,
		classes: train.labels.length,
		classTexts,
		...ofSet,
		repeats: [...originals.keys()].slice(examples.length),
		planned: originals.map((_, id) => ({ id, tokens: tokensOf(id), shard: shardOf[id] ?? 0 })),
		details,
		padding,
		maxTokens,
		truncate,
		cut: { train: cutIn("train"), validation: cutIn("validation"), test: cutIn("test") },
		distinct: new Set(examples.map(({ text }) => text)).size,
		overlap: countOverlap(train, test),
		hash: hashOf(sets),
		labelOf,
		sequence(id, batchLongest) {
			const { tokens: all, ...pool } = effectiveSequence(tokensOf(id), padding, batchLongest);
			return { exampleId: id, tokens: Array.from(all), ...pool, labels: [labelOf(id)] };
		},
	};
}

/** Tokenizes the texts of all sets within the limit. Returns tokens, details of each text, and the limits. */
async function readTokens(config: RunConfig, { train, validation, test }: LoadedSets, context: number) {
	const examples = [...train.examples, ...validation.examples, ...test.examples];
	const limit = tokenLimit(config, context);
	const whole = await tokenizeWithin(examples, limit);
	const limited = limitTokens(
		whole,
		examples.map(({ source }) => source),
		limit,
	);
	const padTo = padLength(config.pad, limited.slice(0, train.examples.length));
	// With --pad longest, texts are cut to the longest training text, as in the reference implementation.
	const isPaddedToLongest = config.pad === "longest" && padTo !== undefined;
	const tokens = isPaddedToLongest ? limited.map((text) => text.subarray(0, padTo)) : limited;
	const details = examples.map(({ text, source }, id) => {
		const { length } = tokens[id] ?? [];
		return { text, source, tokens: length, cut: length < (whole[id]?.length ?? 0) };
	});
	return {
		tokens,
		details,
		padTo,
		maxTokens: isPaddedToLongest ? padTo : limit.tokens,
		truncate: limit.cut || isPaddedToLongest,
	};
}

/** Returns for each id the id of the text itself: a repeat's is that of the training text. */
function findOriginals(examples: readonly Example[], repeats: readonly Example[]): number[] {
	const ids = new Map(examples.map((example, id) => [example, id]));
	return [...examples.keys(), ...repeats.map((example) => ids.get(example) as number)];
}

/**
 * Assigns each set to the shards separately, so that both training and evaluation are balanced.
 * @param repeated id of the training text of each repeat; training texts have the first ids
 * @returns shard of each text, by id
 */
function assignSetShards(
	{ train, validation, test }: Split,
	repeated: readonly number[],
	{ shards, seed }: RunConfig,
): number[] {
	const labelsOf = ({ examples }: Dataset) => examples.map(({ label }) => label);
	const own = labelsOf(train);
	const learned = [...own, ...repeated.map((id) => own[id] as number)];
	const ofTraining = assignShards(learned, shards, seed, [...own.keys(), ...repeated]);
	const ofOthers = [validation, test].flatMap((set) => assignShards(labelsOf(set), shards, seed));
	return [...ofTraining.slice(0, own.length), ...ofOthers, ...ofTraining.slice(own.length)];
}

function hashOf(sets: Split): string {
	const hash = createHash("sha256");
	for (const { labels, examples } of [sets.train, sets.validation, sets.test]) {
		hash.update(JSON.stringify([labels, examples.map(({ text, label }) => [label, text])]));
	}
	return hash.digest("hex");
}
