import type { ModelFiles } from "../../shared/model/model-files.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { endOnSignals } from "../../shared/processes/interrupt.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { RunEvents } from "../events/run-events.ts";
import { checkTokenizer } from "./check-tokenizer.ts";
import { resolveModel } from "./resolve-model.ts";

/** Finds the model of `--model`, fetches what is missing, and checks every file of it. @throws TailtuneError "model" as the checks */
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
