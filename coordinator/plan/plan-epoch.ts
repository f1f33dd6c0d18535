import { TailtuneError } from "../../shared/errors.ts";
import { type PlannedPart, type PlannedText, partsByShard } from "./planned-part.ts";
import { seededShuffle } from "./seeded-shuffle.ts";

/** A part of an optimizer step. */
export interface EpochPart extends PlannedPart {
	/** The step's gradient is the sum over its parts: weight times the gradient of the part's mean loss. */
	readonly weight: number;
}

/** One optimizer step: up to `accumulate` micro-batches, each with one part per shard. */
export interface EpochStep {
	readonly parts: readonly EpochPart[];
}

export interface EpochOptions {
	/** The training texts, with the shards of `assignShards`. */
	readonly examples: readonly PlannedText[];
	/** Texts per micro-batch, all shards together. */
	readonly batch: number;
	/** Micro-batches per step. */
	readonly accumulate: number;
	readonly seed: number;
	/** From 0. */
	readonly epoch: number;
	/** length: micro-batches of texts of similar length, in random order; none: random order. */
	readonly grouping: "length" | "none";
	/** Weight of a text, by id, in the mean loss of its step; default: 1. */
	readonly weightOf?: ((id: number) => number) | undefined;
}

// The texts of this many micro-batches are sorted by length together: enough for little padding, few enough to stay
// random.
const SORTED_TOGETHER = 50;

/**
 * Plans the steps of an epoch; the plan depends only on the arguments. Every text occurs once, except for a rest of
 * fewer than `batch` texts that doesn't fill a micro-batch. Part numbers are micro-batch * shards + shard.
 * @throws TailtuneError "usage" as `assertBatchFits`
 */
export function planEpoch(options: EpochOptions): EpochStep[] {
	const { accumulate, seed, epoch } = options;
	const microBatches = seededShuffle(planMicroBatches(options), seed, `epoch ${epoch} order`);
	const steps: EpochStep[] = [];
	for (let first = 0; first < microBatches.length; first += accumulate) {
		steps.push(planStep(microBatches.slice(first, first + accumulate), options));
	}
	return steps;
}

/** Returns the number of steps of an epoch. @param texts to learn from, each repeat counted */
export function countSteps(texts: number, { batch, accumulate }: Pick<EpochOptions, "batch" | "accumulate">): number {
	return Math.ceil(Math.floor(texts / batch) / accumulate);
}

/**
 * Plans a step. Its loss is the sum of its texts' losses divided by the sum of their weights, as in torch's
 * CrossEntropyLoss(weight). A short last step is still divided by `accumulate`, as in the reference.
 */
function planStep(microBatches: readonly PlannedText[][], { accumulate, weightOf = () => 1 }: EpochOptions): EpochStep {
	const total = microBatches.flat().reduce((sum, { id }) => sum + weightOf(id), 0);
	const divisor = (total * accumulate) / microBatches.length;
	const parts: EpochPart[] = [];
	for (const microBatch of microBatches) {
		for (const part of partsByShard(microBatch, parts.length))
			parts.push({ ...part, weight: part.examples.length / divisor });
	}
	return { parts };
}

/**
 * Checks that there are enough texts for a micro-batch, and that a micro-batch has a text of every shard.
 * @throws TailtuneError "usage" that names --batch or --shards
 */
export function assertBatchFits(texts: number, batch: number, shards: number): void {
	if (batch < shards) {
		throw new TailtuneError(
			"usage",
			`--shards: found ${shards}, expected at most --batch (${batch}): every shard needs a text`,
		);
	}
	if (batch > texts) {
		throw new TailtuneError("usage", `--batch: found ${batch}, expected at most the ${texts} texts for training`);
	}
}

/** Plans micro-batches of exactly `batch` texts. Their numbers of texts of two shards differ by at most 1. */
function planMicroBatches({ examples, batch, seed, epoch, grouping }: EpochOptions): PlannedText[][] {
	const textsByShard = shuffleShards(examples, seed, epoch);
	assertBatchFits(examples.length, batch, textsByShard.length);
	const microBatches = Array.from({ length: Math.floor(examples.length / batch) }, (): PlannedText[] => []);
	for (const [shard, texts] of textsByShard.entries()) {
		// Texts are taken from the shards in turn. This is the number taken from this shard before a micro-batch.
		const takenBefore = (index: number) => Math.ceil((index * batch - shard) / textsByShard.length);
		for (let from = 0; from < microBatches.length; from += SORTED_TOGETHER) {
			const to = Math.min(from + SORTED_TOGETHER, microBatches.length);
			const sorted = texts.slice(takenBefore(from), takenBefore(to));
			if (grouping === "length") sorted.sort((a, b) => a.tokens.length - b.tokens.length);
			for (let index = from; index < to; index++) {
				const taken = sorted.splice(0, takenBefore(index + 1) - takenBefore(index));
				for (const text of taken) microBatches[index]?.push(text); // too many for the arguments of one call
			}
		}
	}
	return microBatches;
}

/**
 * Returns the texts of each shard in random order; larger shards first, because more texts are taken from the first.
 */
function shuffleShards(examples: readonly PlannedText[], seed: number, epoch: number): PlannedText[][] {
	const textsByShard = new Map<number, PlannedText[]>();
	for (const text of examples) {
		const texts = textsByShard.get(text.shard);
		if (texts) texts.push(text);
		else textsByShard.set(text.shard, [text]);
	}
	return [...textsByShard]
		.sort(([a, texts], [b, others]) => others.length - texts.length || a - b)
		.map(([shard, texts]) => seededShuffle(texts, seed, `epoch ${epoch} shard ${shard}`));
}
