import type { ClassScore } from "./classification.ts";

/** How a tuned model does on labelled texts. */
export interface ClassifierEvaluation {
	readonly texts: number;
	/** Texts that were cut, and the tokens that were read of them. */
	readonly cut: number;
	readonly maxTokens: number;
	readonly loss: number;
	readonly accuracy: number;
	/** In the order of all below. */
	readonly labels: readonly string[];
	/** Texts by true class (row) and predicted class (column). */
	readonly confusion: readonly (readonly number[])[];
	/** Accuracy of always answering the most frequent label of these texts. */
	readonly majorityBaseline: { readonly label: string; readonly accuracy: number };
	readonly perClass: readonly ClassScore[];
}
