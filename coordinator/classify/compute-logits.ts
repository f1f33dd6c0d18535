import type { NewItem } from "../../shared/messages.ts";
import { type EffectiveSequence, effectiveSequence, type Padding } from "../../shared/sequences/effective-sequence.ts";
import type { Dispatcher } from "../cluster/dispatcher.ts";
import { averageLogits } from "../data/divide-tokens.ts";
import { groupForTrunk } from "../plan/group-for-trunk.ts";

/** A model on workers, and the way in which it reads texts. */
export interface AnnouncedModel {
	readonly runId: string;
	/** Version of the parameters. */
	readonly version: number;
	readonly padding: Padding;
	readonly classes: number;
}

/**
 * Computes the logits of divided texts that aren't in the sets of a run: for each text the mean of its windows.
 * @param texts the windows of each text
 * @param shards as of `computeLogits`
 * @param onDone called with the indices of finished windows, counted over all texts
 */
export async function computeDivided(
	dispatcher: Pick<Dispatcher, "execute">,
	model: AnnouncedModel,
	texts: readonly (readonly Uint32Array[])[],
	shards: number,
	onDone: (indices: readonly number[]) => void,
): Promise<number[][]> {
	const logits = (await computeLogits(dispatcher, model, texts.flat(), shards, onDone)).values();
	return texts.map((windows) => averageLogits(windows.map(() => logits.next().value as number[])));
}

/**
 * Computes the logits of token sequences that aren't in the sets of a run. They are computed in groups that suit the
 * trunk, and their features aren't kept.
 * @param shards shards to which the groups are given in turn
 * @param onDone called with the indices of finished sequences
 * @returns the logits of each sequence, in their order
 */
async function computeLogits(
	dispatcher: Pick<Dispatcher, "execute">,
	model: AnnouncedModel,
	tokens: readonly Uint32Array[],
	shards: number,
	onDone: (indices: readonly number[]) => void,
): Promise<number[][]> {
	const sequences = padEach(model, tokens);
	const groups = groupForTrunk(
		sequences.map((sequence) => sequence.tokens),
		model.padding.causal,
	);
	const items = groups.map((group, index) => toItem(model, sequences, group, index % shards));
	const all: number[][] = [];
	let next = 0;
	for await (const { logits } of dispatcher.execute(items)) {
		const group = groups[next++] ?? [];
		for (const [row, own] of divideRows(logits, model.classes).entries()) all[group[row] as number] = own;
		onDone(group);
	}
	return all;
}

/** Computes the logits of token sequences together, on the worker that holds a shard. */
export async function computeTogether(
	dispatcher: Pick<Dispatcher, "execute">,
	model: AnnouncedModel,
	tokens: readonly Uint32Array[],
	shard: number,
): Promise<number[][]> {
	const item = toItem(model, padEach(model, tokens), [...tokens.keys()], shard);
	for await (const { logits } of dispatcher.execute([item])) return divideRows(logits, model.classes);
	return [];
}

/** Pads each text by itself: its answer must not depend on the other texts of its group. */
function padEach({ padding }: AnnouncedModel, tokens: readonly Uint32Array[]): EffectiveSequence[] {
	return tokens.map((text) => effectiveSequence(text, padding, text.length));
}

function toItem(
	{ runId, version: parameterVersion }: AnnouncedModel,
	all: readonly EffectiveSequence[],
	group: readonly number[],
	shard: number,
): NewItem {
	const sequences = group.map((index) => {
		const { tokens, ...pool } = all[index] as EffectiveSequence;
		return { exampleId: index, tokens: Array.from(tokens), ...pool, labels: [] };
	});
	return { runId, kind: "WORK_KIND_CLASSIFY", shard, parameterVersion, sequences };
}

function divideRows(logits: readonly number[], classes: number): number[][] {
	return Array.from({ length: logits.length / classes }, (_, row) => logits.slice(row * classes, (row + 1) * classes));
}
