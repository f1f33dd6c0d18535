import { TailtuneError } from "../../shared/errors.ts";
import { neutralRule, scoringOf } from "../metrics/scoring.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Returns the mean loss of the examples.
 * @param step from 0
 * @throws TailtuneError "diverged" if it isn't finite
 */
export function finiteLoss(
	{ texts, config }: Pick<RunContext, "texts" | "config">,
	step: number,
	logits: readonly number[],
	examples: readonly number[],
): number {
	const truth = examples.map((example) => texts.labelsOf(example));
	const loss = scoringOf(neutralRule(config.multiLabel)).loss(logits, truth, texts.classes);
	if (Number.isFinite(loss)) return loss;
	throw new TailtuneError("diverged", `step ${step + 1}: the loss is ${loss}; try a smaller --lr than ${config.lr}`);
}
