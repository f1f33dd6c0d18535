import { createHash } from "node:crypto";
import type { RunConfig, TrainConfig } from "../../shared/config.ts";
import { balance } from "../../shared/data/balance.ts";
import { type Dataset, withLabels } from "../../shared/data/dataset.ts";
import { effectiveSequence, PAD_ID, type Padding } from "../../shared/data/effective-sequence.ts";
import { limitTokens, padLength, tokenLimit } from "../../shared/data/limit-tokens.ts";
import { loadDataset } from "../../shared/data/load-dataset.ts";
import { assertSeveralLabels, assertSplittable, countOverlap, type Split, split } from "../../shared/data/split.ts";
import { tokenize } from "../../shared/data/tokenize.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { Sequence } from "../../shared/messages.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { assignShards } from "../plan/assign-shards.ts";
import { assertBatchFits } from "../plan/plan-epoch.ts";
import type { PlannedText } from "../plan/planned-part.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** The texts of a run, in three sets. A text's id is its index over all sets. */
export interface RunTexts {
	readonly labels: readonly string[];
	readonly classes: number;
	/** Ids by set. */
	readonly train: readonly number[];
	readonly validation: readonly number[];
	readonly test: readonly number[];
	/** What the plans know of each text, by id. */
	readonly planned: readonly PlannedText[];
	readonly padding: Padding;
	/** The most tokens that a text may have; later ones are cut to it. */
	readonly maxTokens: number;
	/** Different texts among all, and test texts that also occur in training. */
	readonly distinct: number;
	readonly overlap: number;
	/** Names the texts, their labels and their sets: sha256, hexadecimal. */
	readonly hash: string;
	labelOf(id: number): number;
	/** A text as it travels. @param batchLongest tokens of the longest text of its batch */
	sequence(id: number, batchLongest: number): Sequence;
}

type LoadSettings = Pick<TrainConfig, "data" | "train" | "validation" | "test" | "textColumn" | "labelColumn">;

/**
 * Reads the texts of a run in their three sets: balanced and split, or as given.
 * @throws TailtuneError "usage", "data" or "offline" that names the flag, or the file and the row
 */
export async function loadSplit(config: TrainConfig, terminal: Terminal): Promise<Split> {
	const { balance: isBalanced, seed } = config;
	const given = await readGiven(config, terminal);
	if ("examples" in given) {
		// As they are in the file: balanced, every label would have as few as the smallest.
		assertSplittable(given);
		return split(isBalanced ? balance(given, seed) : given, config.split, seed);
	}
	assertSeveralLabels(given.train);
	return isBalanced ? { ...given, train: balance(given.train, seed) } : given;
}

/** Tokenizes the texts, cuts them to the limit and gives them shards. */
export async function prepareTexts(config: RunConfig, sets: Split, model: Gpt2Config): Promise<RunTexts> {
	const { train, validation, test } = sets;
	const examples = [...train.examples, ...validation.examples, ...test.examples];
	assertBatchFits(train.examples.length, config.batch, config.shards);
	if (model.vocab_size <= PAD_ID) {
		const found = `found a vocabulary of ${model.vocab_size} tokens`;
		throw new TailtuneError("model", `--model ${config.model}: ${found}, expected GPT-2's ${PAD_ID + 1}`);
	}
	const texts = examples.map(({ text }) => text);
	const sources = examples.map(({ source }) => source);
	const limit = tokenLimit(config, model.n_positions);
	const limited = limitTokens(await tokenize(texts, limit.cut ? limit.tokens : undefined), sources, limit);
	const padTo = padLength(config.pad, limited.slice(0, train.examples.length));
	// As in the reference, no text is longer than the longest of the training set where that is what texts are padded to.
	const tokens = config.pad === "longest" ? limited.map((text) => text.subarray(0, padTo)) : limited;
	const shardOf = assignSetShards(sets, config);
	const padding = { token: config.token, causal: config.causal, padTo, padId: PAD_ID };
	const labelOf = (id: number) => examples[id]?.label ?? 0;
	const ids = [...examples.keys()];
	const validationStart = train.examples.length;
	const testStart = validationStart + validation.examples.length;
	return {
		labels: train.labels,
		classes: train.labels.length,
		train: ids.slice(0, validationStart),
		validation: ids.slice(validationStart, testStart),
		test: ids.slice(testStart),
		planned: tokens.map((text, id) => ({ id, tokens: text, shard: shardOf[id] ?? 0 })),
		padding,
		maxTokens: config.pad === "longest" ? (padTo ?? limit.tokens) : limit.tokens,
		distinct: new Set(examples.map(({ text }) => text)).size,
		overlap: countOverlap(train, test),
		hash: hashOf(sets),
		labelOf,
		sequence(id, batchLongest) {
			const { tokens: all, ...pool } = effectiveSequence(tokens[id] ?? new Uint32Array(), padding, batchLongest);
			return { exampleId: id, tokens: Array.from(all), ...pool, label: labelOf(id) };
		},
	};
}

async function readGiven(config: LoadSettings, terminal: Terminal): Promise<Dataset | Split> {
	const { data } = config;
	const sets = { train: config.train, validation: config.validation, test: config.test };
	const [first] = Object.entries(sets).find(([, file]) => file !== undefined) ?? [];
	if (first === undefined) {
		if (data !== undefined) return loadDataset(data, config, terminal.download(data));
		throw new TailtuneError("usage", "--data: nothing given; expected a file, a folder, sms-spam or spam-assassin");
	}
	if (data !== undefined)
		throw new TailtuneError("usage", `--data: found --${first} beside it, expected one or the other`);
	const read = async (set: keyof typeof sets) => {
		const file = sets[set];
		if (file !== undefined) return loadDataset(file, config);
		throw new TailtuneError("usage", `--${set}: nothing given; expected a file, as beside --${first}`);
	};
	const train = await read("train");
	const underLabels = async (set: keyof typeof sets) => withLabels(await read(set), train.labels);
	return { train, validation: await underLabels("validation"), test: await underLabels("test") };
}

/** Each set is dealt to the shards by itself, so that training and evaluation are both shared out evenly. */
function assignSetShards({ train, validation, test }: Split, { shards, seed }: RunConfig): number[] {
	return [train, validation, test].flatMap(({ examples }) =>
		assignShards(
			examples.map(({ label }) => label),
			shards,
			seed,
		),
	);
}

function hashOf(sets: Split): string {
	const hash = createHash("sha256");
	for (const { labels, examples } of [sets.train, sets.validation, sets.test]) {
		hash.update(JSON.stringify([labels, examples.map(({ text, label }) => [label, text])]));
	}
	return hash.digest("hex");
}
