import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { undersample } from "../../coordinator/data/balance.ts";
import { type Dataset, toDataset } from "../../coordinator/data/dataset.ts";
import { loadDataset } from "../../coordinator/data/load-dataset.ts";
import { splitAtRandom } from "../../coordinator/data/split.ts";
import { planPreparation } from "../../coordinator/plan/plan-preparation.ts";
import { seededShuffle } from "../../coordinator/plan/seeded-shuffle.ts";
import { sharedRows } from "../../shared/sequences/shared-rows.ts";
import { tokenize } from "../gpt2-tokenizer.ts";

/** Labelled texts on disk, in three sets that all compared programs read. */
export interface BenchTexts {
	/** Contains train.jsonl, val.jsonl and test.jsonl ({label, ids, text}) and order.json, one shuffle per epoch. */
	readonly folder: string;
	/** Tokens of the longest training text; other texts are cut to this length. */
	readonly longestTokens: number;
	/** Number of texts in all sets, of distinct texts, and of the tokens of the distinct ones. */
	readonly texts: number;
	readonly distinct: number;
	readonly tokens: number;
	/** Tokens that the trunk computes: equal beginnings of texts in a group are computed once. */
	readonly rows: number;
	/** Sum of the squared lengths, which attention's cost is proportional to. */
	readonly squares: number;
}

const SEED = 123;
const EPOCHS = 20;
const LONGEST_TOKENS = 120;

/** Reads a data set, or makes short messages from the e-mails included in the package. @param texts number of texts */
export async function benchDataset(data: string | undefined, texts: number): Promise<Dataset> {
	// Lengths as in text messages: 19 words on average, most of them short.
	if (data === undefined) return makeMessages(texts, (random) => 2 + Math.floor(17 * exponential(random)));
	const balanced = undersample(await loadDataset(data, { textColumn: "text", labelColumn: "label" }), SEED);
	return { ...balanced, examples: seededShuffle(balanced.examples, SEED, "bench").slice(0, texts) };
}

/**
 * Cuts messages from the SpamAssassin e-mails, half of each label.
 * @param wordsOf draws the words of a message
 */
export async function makeMessages(
	count: number,
	wordsOf: (random: ReturnType<typeof xoroshiro128plus>) => number,
): Promise<Dataset> {
	const emails = await loadDataset("spam-assassin", { textColumn: "text", labelColumn: "label" });
	const pools = emails.labels.map((_, label) =>
		emails.examples.filter((example) => example.label === label).flatMap(({ text }) => text.split(" ")),
	);
	const random = xoroshiro128plus(SEED);
	const messages = Array.from({ length: count }, (_, i) => {
		const label = i % pools.length;
		const pool = pools[label] ?? [];
		const from = uniformInt(random, 0, pool.length - 1);
		// A "word" of an encoded attachment would have about a hundred tokens.
		const words = pool.slice(from, from + wordsOf(random)).map((word) => word.slice(0, 20));
		return { text: words.join(" "), label: emails.labels[label] ?? "", source: `message ${i}` };
	});
	return toDataset(messages);
}

/** Writes texts, cut to `longest` tokens, for all compared programs. */
export async function writeBenchTexts(dataset: Dataset, folder: string, longest = LONGEST_TOKENS): Promise<BenchTexts> {
	await mkdir(folder, { recursive: true });
	const sets = splitAtRandom(dataset, [0.7, 0.1, 0.2], SEED);
	const tokens = tokenize(
		dataset.examples.map(({ text }) => text),
		longest,
	);
	const idsOf = new Map(dataset.examples.map(({ text }, i) => [text, Array.from(tokens[i] ?? [])]));
	const lengthOf = (text: string) => idsOf.get(text)?.length ?? 0;
	for (const [name, { examples }] of Object.entries({ train: sets.train, val: sets.validation, test: sets.test })) {
		const lines = examples.map(({ text, label }) => JSON.stringify({ label, ids: idsOf.get(text), text }));
		await writeFile(join(folder, `${name}.jsonl`), `${lines.join("\n")}\n`);
	}
	const indices = [...sets.train.examples.keys()];
	const epochs = Array.from({ length: EPOCHS }, (_, epoch) => seededShuffle(indices, SEED, `epoch ${epoch}`));
	await writeFile(join(folder, "order.json"), JSON.stringify({ seed: SEED, epochs }));
	const longestTokens = Math.max(...sets.train.examples.map(({ text }) => lengthOf(text)));
	const cut = [...idsOf.values()].map((ids) => Uint32Array.from(ids).subarray(0, longestTokens));
	const lengths = cut.map(({ length }) => length);
	return {
		folder,
		longestTokens,
		texts: dataset.examples.length,
		distinct: lengths.length,
		tokens: lengths.reduce((sum, length) => sum + length, 0),
		rows: countRows(cut),
		squares: lengths.reduce((sum, length) => sum + length ** 2, 0),
	};
}

function countRows(texts: readonly Uint32Array[]): number {
	const planned = texts.map((tokens, id) => ({ id, tokens, shard: 0 }));
	const parts = planPreparation(planned, { token: "last-real", causal: true, padTo: undefined });
	const rows = parts.map(({ examples }) => sharedRows(examples.map((id) => texts[id] as Uint32Array)).rows);
	return rows.reduce((sum, count) => sum + count, 0);
}

function exponential(random: ReturnType<typeof xoroshiro128plus>): number {
	return -Math.log(uniformInt(random, 1, 2 ** 30) / 2 ** 30);
}
