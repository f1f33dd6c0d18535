import { TailtuneError } from "../../shared/errors.ts";
import { crossEntropy } from "../metrics/cross-entropy.ts";
import type { RunContext } from "./run-context.ts";

/** Checks the loss of the examples. @param step from 0 @throws TailtuneError "diverged" if it isn't finite */
export function assertFiniteLoss(
	{ texts, config }: Pick<RunContext, "texts" | "config">,
	step: number,
	logits: readonly number[],
	examples: readonly number[],
): void {
	const labels = examples.map((example) => texts.labelOf(example));
	const { loss } = crossEntropy(logits, labels, texts.classes);
	if (Number.isFinite(loss)) return;
	throw new TailtuneError("diverged", `step ${step + 1}: the loss is ${loss}; try a smaller --lr than ${config.lr}`);
}
