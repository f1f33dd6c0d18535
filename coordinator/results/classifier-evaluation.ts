import type { ClassScore } from "../../shared/metrics/classification.ts";

/** How a tuned model does on labelled texts. */
export interface ClassifierEvaluation {
	readonly texts: number;
	readonly loss: number;
	readonly accuracy: number;
	/** In the order of all below. */
	readonly labels: readonly string[];
	/** Texts by true class (row) and predicted class (column). */
	readonly confusion: readonly (readonly number[])[];
	readonly perClass: readonly ClassScore[];
}
