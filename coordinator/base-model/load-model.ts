import type { ModelFiles } from "../../shared/model/model-files.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { endOnSignals } from "../../shared/processes/interrupt.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { RunEvents } from "../events/run-events.ts";
import { checkTokenizer } from "./check-tokenizer.ts";
import { resolveModel } from "./resolve-model.ts";

/**
 * Finds the model of `--model`, downloads missing files, and checks every file.
 * @throws TailtuneError as `resolveModel`, `openModel` and `checkTokenizer`; "model" if a number isn't finite
 */
export async function loadModel(
	{ model: name, seed }: Pick<TrainConfig, "model" | "seed">,
	{ events, interrupt }: { readonly events: RunEvents; readonly interrupt: AbortSignal },
): Promise<ModelFiles> {
	const folder = await resolveModel(name, { seed, onProgress: events.download(name), signal: interrupt });
	return endOnSignals(async () => {
		const model = await openModel(folder);
		await checkTokenizer(folder, model.config.vocab_size);
		await model.checkFinite();
		return model;
	});
}
