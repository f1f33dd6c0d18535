import { readInitialParameters } from "../base-model/initial-parameters.ts";
import { matchHeadRows } from "../base-model/own-head.ts";
import type { RunEvents } from "../events/run-events.ts";
import { createTrainingState, stateShapeOf, type TrainingState } from "./checkpoint.ts";
import { restoreState } from "./restore-state.ts";
import type { RunInputs } from "./run-inputs.ts";

/**
 * Reads the state of the last checkpoint, or creates the state before the first step if there is none.
 * @throws TailtuneError as `restoreState`
 */
export async function openState(folder: string, inputs: RunInputs, events: RunEvents): Promise<TrainingState> {
	const { config, model, texts, tail, fingerprint } = inputs;
	const shape = stateShapeOf(config, tail, model.config);
	const saved = await restoreState(folder, fingerprint, shape, { config, texts, tail });
	if (saved) return saved;
	const rows = matchHeadRows(model, texts.labels, events);
	return createTrainingState(fingerprint, await readInitialParameters(model, tail, config.seed, rows), shape);
}
