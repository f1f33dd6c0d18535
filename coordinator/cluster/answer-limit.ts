import { TailtuneError } from "../../shared/errors.ts";

/** What an answer takes in bytes beside its logits: ids and names of engines. */
const ANSWER_BYTES = 1024;
const LOGIT_BYTES = 4;

/**
 * Checks that the answer to an item fits a message of the bus.
 * @param texts of the item
 * @throws TailtuneError "usage" that says how to make smaller items
 */
export function assertAnswerFits(texts: number, classes: number, maxMessageBytes: number): void {
	const bytes = texts * classes * LOGIT_BYTES + ANSWER_BYTES;
	if (bytes <= maxMessageBytes) return;
	const found = `${texts} texts with ${classes} labels each in one item: found an answer of ${bytes} bytes`;
	const wayOut = "a smaller --batch (or --max-batch), more --shards or fewer --local-steps make smaller items";
	throw new TailtuneError("usage", `${found}, expected at most ${maxMessageBytes}, NATS' max_payload; ${wayOut}`);
}

export interface StepSizes {
	readonly batch: number;
	readonly shards: number;
	readonly accumulate: number;
	readonly localSteps: number;
	/** Texts for training. */
	readonly texts: number;
}

/** The texts that the largest item of a run's steps has at least, however they are dealt to the shards. */
export function textsOfLargestItem({ batch, shards, accumulate, localSteps, texts }: StepSizes): number {
	if (localSteps === 1) return Math.ceil(batch / shards);
	const microBatches = Math.min(localSteps * accumulate, Math.floor(texts / batch));
	return Math.ceil((microBatches * batch) / shards);
}
