import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";

/**
 * Returns the learning rate of a step, by the formulas of transformers' `get_linear_schedule_with_warmup`,
 * `get_cosine_schedule_with_warmup` and `get_constant_schedule_with_warmup`. With a warm-up it is 0 in the first step.
 * @param step from 1
 * @param steps of the whole run
 */
export function learningRate(
	step: number,
	steps: number,
	{ lr, schedule, warmup }: Pick<TrainConfig, "lr" | "schedule" | "warmup">,
): number {
	const done = step - 1;
	const warmupSteps = countWarmupSteps(warmup, steps);
	if (done < warmupSteps) return lr * (done / warmupSteps);
	if (schedule === "constant") return lr;
	const progress = (done - warmupSteps) / Math.max(1, steps - warmupSteps);
	return lr * (schedule === "linear" ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** Checks that the warm-up ends before the run. @throws TailtuneError "usage" that names --warmup */
export function assertWarmupFits(warmup: number, steps: number): void {
	if (countWarmupSteps(warmup, steps) < steps) return;
	throw new TailtuneError("usage", `--warmup: found ${warmup}, expected less than the ${steps} steps of the run`);
}

/** A number below 1 is a share of all steps, rounded up. */
function countWarmupSteps(warmup: number, steps: number): number {
	return warmup < 1 ? Math.ceil(warmup * steps) : warmup;
}
