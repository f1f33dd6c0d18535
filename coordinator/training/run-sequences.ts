import type { RunConfig } from "../../shared/settings/config.ts";
import type { DividedTokens } from "../data/divide-tokens.ts";
import type { LoadedSets } from "../data/load-sets.ts";
import { assignShards } from "../plan/assign-shards.ts";

/** Tokens that are computed together: a text, or one window of a long text. */
export interface TextSequence {
	/** Id of the text. */
	readonly text: number;
	readonly tokens: Uint32Array;
}

/** A value for each set. */
export type OfSets<T> = Readonly<Record<"train" | "validation" | "test", T>>;

/** The sequences of all texts of a run; their ids are their indices. */
export interface ListedSequences {
	readonly sequences: readonly TextSequence[];
	/** Ids of each set's sequences; those of training include the repeats. */
	readonly idsIn: OfSets<number[]>;
	/** Returns the ids of the windows of a text, without its repeats. */
	windowsOf(text: number): readonly number[];
}

/**
 * Lists the sequences of all texts: first one of each text, in the order of the texts, then one of each repeat of a
 * training text, then the further windows of the texts and of the repeats.
 * @param divided the texts of all sets
 */
export function listSequences(divided: readonly DividedTokens[], sets: LoadedSets): ListedSequences {
	const { train, validation, repeats } = sets;
	const place = new Map(train.examples.map((example, id) => [example, id]));
	const texts = [...divided.keys(), ...repeats.map((example) => place.get(example) as number)];
	const sequences: TextSequence[] = [];
	const windowsOf = divided.map((): number[] => []);
	const add = (text: number, tokens: Uint32Array, isRepeat: boolean) => {
		if (!isRepeat) windowsOf[text]?.push(sequences.length);
		sequences.push({ text, tokens });
	};
	const windowsIn = (text: number) => (divided[text] as DividedTokens).windows;
	for (const [index, text] of texts.entries()) add(text, windowsIn(text)[0], index >= divided.length);
	for (const [index, text] of texts.entries())
		for (const tokens of windowsIn(text).slice(1)) add(text, tokens, index >= divided.length);
	const validationStart = train.examples.length;
	const testStart = validationStart + validation.examples.length;
	const ids = [...sequences.keys()];
	const between = (from: number, to: number) =>
		ids.filter((id) => (sequences[id]?.text ?? 0) >= from && (sequences[id]?.text ?? 0) < to);
	return {
		sequences,
		idsIn: {
			train: between(0, validationStart),
			validation: between(validationStart, testStart),
			test: between(testStart, divided.length),
		},
		windowsOf: (text) => windowsOf[text] ?? [],
	};
}

/**
 * Assigns each set to the shards separately, so that both training and evaluation are balanced. Repeats of the same
 * sequence are in the same shard if possible, which computes its features once.
 * @returns shard of each sequence, by id
 */
export function assignSetShards(
	sequences: readonly TextSequence[],
	idsIn: OfSets<readonly number[]>,
	labelOf: (id: number) => number,
	{ shards, seed }: RunConfig,
): number[] {
	const assigned = new Array<number>(sequences.length).fill(0);
	for (const ids of Object.values(idsIn)) {
		const first = new Map<Uint32Array, number>();
		const originals = ids.map((id, index) => {
			const tokens = tokensOf(sequences, id);
			if (!first.has(tokens)) first.set(tokens, index);
			return first.get(tokens) as number;
		});
		for (const [index, shard] of assignShards(ids.map(labelOf), shards, seed, originals).entries())
			assigned[ids[index] as number] = shard;
	}
	return assigned;
}

/** Returns the tokens of a sequence. */
export function tokensOf(sequences: readonly TextSequence[], id: number): Uint32Array {
	return sequences[id]?.tokens ?? new Uint32Array();
}

/** Converts the value of each set. */
export function mapSets<T, R>(
	{ train, validation, test }: OfSets<T>,
	change: (value: T) => R,
): OfSets<R> & {
	train: R;
	validation: R;
	test: R;
} {
	return { train: change(train), validation: change(validation), test: change(test) };
}
