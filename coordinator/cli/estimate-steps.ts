import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { plainTail } from "../../shared/model/tail-spec.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { gradientForm, gradientLength } from "../../shared/updates/gradient-form.ts";
import { UpdatableState } from "../../shared/updates/updatable-state.ts";
import { adamWScalars } from "../../shared/vectors/adamw.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import { countSteps } from "../plan/plan-epoch.ts";

/** Measures the seconds in which this machine applies the update of one step of `texts` texts to the last block. */
export type MeasureUpdate = (model: Gpt2Config, texts: number) => number;

/** Time of a whole step in one process, relative to its update: GPT-2 small, 8 texts of the SMS Spam Collection. */
const STEP_PER_UPDATE = 2.4;

const MEASUREMENTS = 3;

/**
 * Estimates the seconds of all training steps of a run that tunes the last block.
 * @param texts training texts
 */
export function estimateSteps(
	model: Gpt2Config,
	texts: number,
	{ batch, epochs, accumulate }: Pick<TrainConfig, "batch" | "epochs" | "accumulate">,
	measureUpdate: MeasureUpdate,
): number {
	const steps = epochs * countSteps(texts, { batch, accumulate });
	return steps === 0 ? 0 : steps * STEP_PER_UPDATE * measureUpdate(model, batch * accumulate);
}

/** As `MeasureUpdate`; it takes some milliseconds, and the memory of four times the last block. */
export function measureUpdate(model: Gpt2Config, texts: number): number {
	const spec = plainTail("TRAINABLE_LAST_BLOCK", 2);
	const form = gradientForm(spec, model, texts);
	const state = new UpdatableState(form, parameterLayout(spec, model).size, texts);
	const gradient = state.update.subarray(0, gradientLength(form, texts)).fill(1e-3);
	const threads = countPhysicalCores();
	// The first one also waits until the memory is there and the threads have started.
	const seconds = Array.from({ length: 1 + MEASUREMENTS }, (_, version) => {
		const scalars = adamWScalars(version + 1, { lr: 1e-5, weightDecay: 0.1 });
		const beganMs = performance.now();
		state.apply({ version: version + 1, texts, scalars, gradient }, threads);
		return (performance.now() - beganMs) / 1000;
	});
	return Math.min(...seconds.slice(1));
}
