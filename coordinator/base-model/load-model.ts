import type { ModelFiles } from "../../shared/model/model-files.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { endOnSignals } from "../../shared/processes/interrupt.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { RunEvents } from "../events/run-events.ts";
import { loadTokenizer } from "../tokenizer/load-tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { resolveModel, resolveModelName } from "./resolve-model.ts";

/** A model and the tokenizer with which it was trained. */
export interface LoadedModel {
	readonly model: ModelFiles;
	readonly tokenizer: Tokenizer;
	/** A value of `--model` that names the same files later; see `resolveModelName`. */
	readonly resolvedName: string;
}

/**
 * Finds the model of `--model`, downloads missing files, and checks every file.
 * @throws TailtuneError as `resolveModel`, `openModel` and `loadTokenizer`; "model" if a number isn't finite
 */
export async function loadModel(
	{ model: name, seed, specialTokens }: Pick<TrainConfig, "model" | "seed" | "specialTokens">,
	{ events, interrupt }: { readonly events: RunEvents; readonly interrupt: AbortSignal },
): Promise<LoadedModel> {
	const folder = await resolveModel(name, { seed, listener: events, signal: interrupt });
	const resolvedName = await resolveModelName(name, folder);
	return endOnSignals(async () => {
		const model = await openModel(folder);
		const tokenizer = await loadTokenizer(folder, model.config.vocab_size, specialTokens);
		await model.checkFinite();
		return { model, tokenizer, resolvedName };
	});
}
