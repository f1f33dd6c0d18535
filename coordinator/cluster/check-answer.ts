import type { Answer, AnswerSizes } from "../../shared/exchange/tensor-exchange.ts";
import type { WorkItem } from "../../shared/messages.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";

/** Figures of a run on which the sizes of its answers depend. */
export interface AnswerShape {
	readonly classes: number;
	/** Returns the numbers of the gradient of an item with these sequences. */
	readonly gradientLength: (sequences: WorkItem["sequences"]) => number;
}

/**
 * Checks the sizes of an answer against its item; a failure has no numbers.
 * @throws Refusal if they differ
 */
export function checkSizes(
	{ logits, tensor }: AnswerSizes,
	{ kind, sequences, serial }: WorkItem,
	{ classes, gradientLength }: AnswerShape,
	isFailure: boolean,
): void {
	const expected = {
		logits: isFailure || kind === "WORK_KIND_PREPARE" ? 0 : sequences.length * classes,
		tensor: isFailure || kind !== "WORK_KIND_GRADIENT" ? 0 : gradientLength(sequences),
	};
	if (logits === expected.logits && tensor === expected.tensor) return;
	const found = `the answer to item ${serial} has ${logits} logits and a tensor of ${tensor} numbers`;
	throw new Refusal("REFUSAL_LENGTH", `${found}, expected ${expected.logits} and ${expected.tensor}`);
}

/** Checks the logits of an answer. @throws Refusal if one is NaN or infinite */
export function checkFinite({ result, logits }: Answer): void {
	if (logits.every(Number.isFinite)) return;
	throw new Refusal("REFUSAL_NOT_FINITE", `the answer to item ${result.serial} has logits that aren't finite`);
}
