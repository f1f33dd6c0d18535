import { TailtuneError } from "../../shared/errors.ts";
import { type PlannedPart, type PlannedText, partsByShard } from "./planned-part.ts";
import { seededShuffle } from "./seeded-shuffle.ts";

/** A part of an optimizer step. */
export interface EpochPart extends PlannedPart {
	/** The step's gradient is the sum over its parts of weight times the gradient of the part's mean loss. */
	readonly weight: number;
}

/** One optimizer step: up to `accumulate` micro-batches, each with a part for every shard. */
export interface EpochStep {
	readonly parts: readonly EpochPart[];
}

export interface EpochOptions {
	/** The training texts, with shards as by `assignShards`. */
	readonly examples: readonly PlannedText[];
	/** Texts a micro-batch, over all shards. */
	readonly batch: number;
	/** Micro-batches a step. */
	readonly accumulate: number;
	readonly seed: number;
	/** From 0. */
	readonly epoch: number;
	/** length: micro-batches of texts of similar length, in random order; none: plain random order. */
	readonly grouping: "length" | "none";
}

// As many micro-batches are sorted by length together: enough for little padding, few enough to stay random.
const SORTED_TOGETHER = 50;

/**
 * The steps of an epoch, a function of its arguments alone. Every text comes once, but for the fewer than `batch` that
 * fill no micro-batch. Part numbers are micro-batch * shards + shard. A short last step is still divided by
 * `accumulate`, as in the reference.
 * @throws TailtuneError "usage" as `assertBatchFits`
 */
export function planEpoch(options: EpochOptions): EpochStep[] {
	const { batch, accumulate, seed, epoch } = options;
	const micros = seededShuffle(planMicroBatches(options), seed, `epoch ${epoch} order`);
	const steps: EpochStep[] = [];
	for (let first = 0; first < micros.length; first += accumulate) {
		const parts: EpochPart[] = [];
		for (const micro of micros.slice(first, first + accumulate)) {
			for (const part of partsByShard(micro, parts.length)) {
				parts.push({ ...part, weight: part.examples.length / (batch * accumulate) });
			}
		}
		steps.push({ parts });
	}
	return steps;
}

/**
 * Checks that a micro-batch can be filled and has a text of every shard.
 * @throws TailtuneError "usage" that names --batch or --shards
 */
export function assertBatchFits(texts: number, batch: number, shards: number): void {
	if (batch < shards) {
		throw new TailtuneError(
			"usage",
			`--shards: found ${shards}, expected at most --batch (${batch}): each takes a part`,
		);
	}
	if (batch > texts) {
		throw new TailtuneError("usage", `--batch: found ${batch}, expected at most the ${texts} texts for training`);
	}
}

/** Micro-batches of exactly `batch` texts, each with as many of one shard as of another, give or take 1. */
function planMicroBatches({ examples, batch, seed, epoch, grouping }: EpochOptions): PlannedText[][] {
	const decks = shuffledDecks(examples, seed, epoch);
	assertBatchFits(examples.length, batch, decks.length);
	const micros = Array.from({ length: Math.floor(examples.length / batch) }, (): PlannedText[] => []);
	for (const [place, deck] of decks.entries()) {
		// Texts are taken from the decks in turn, micro-batch after micro-batch: so many of this one before a micro-batch.
		const takenBefore = (micro: number) => Math.ceil((micro * batch - place) / decks.length);
		for (let from = 0; from < micros.length; from += SORTED_TOGETHER) {
			const to = Math.min(from + SORTED_TOGETHER, micros.length);
			const run = deck.slice(takenBefore(from), takenBefore(to));
			if (grouping === "length") run.sort((a, b) => a.tokens.length - b.tokens.length);
			for (let micro = from; micro < to; micro++) {
				for (const text of run.splice(0, takenBefore(micro + 1) - takenBefore(micro))) micros[micro]?.push(text);
			}
		}
	}
	return micros;
}

/** The texts of each shard in random order; the larger shards first, since the first ones are taken from more often. */
function shuffledDecks(examples: readonly PlannedText[], seed: number, epoch: number): PlannedText[][] {
	const decks = new Map<number, PlannedText[]>();
	for (const text of examples) {
		const deck = decks.get(text.shard);
		if (deck) deck.push(text);
		else decks.set(text.shard, [text]);
	}
	return [...decks]
		.sort(([a, texts], [b, others]) => others.length - texts.length || a - b)
		.map(([shard, texts]) => seededShuffle(texts, seed, `epoch ${epoch} shard ${shard}`));
}
