import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { loadRunTokenizer } from "../tokenizer/load-tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type ClassifierSettings, readClassifierSettings, SETTINGS_FILE } from "./classifier-settings.ts";

/** A tuned model with the settings for its texts and labels. */
export interface TunedModel {
	readonly settings: ClassifierSettings;
	readonly model: ModelFiles;
	readonly tokenizer: Tokenizer;
}

/**
 * Opens the model folder of a finished run. Both `config.json` and `tailtune.json` number the labels; if they differ
 * the folder is refused, because one of them would give wrong labels.
 * @throws TailtuneError "not-found" if there is no finished run, "model" if a file can't be used, or the labels or
 *   the tokenizer differ
 */
export async function openTunedModel(folder: string): Promise<TunedModel> {
	const settings = await readClassifierSettings(folder);
	const model = await openModel(folder);
	if (JSON.stringify(model.labels) === JSON.stringify(settings.labels)) {
		const tokenizer = await loadRunTokenizer(folder, model.config.vocab_size, settings);
		return { settings, model, tokenizer };
	}
	const shorten = (labels: readonly string[] = []) => JSON.stringify(labels).slice(0, 200);
	const expected = `expected one name per row of score.weight, as in ${SETTINGS_FILE}: ${shorten(settings.labels)}`;
	throw new TailtuneError(
		"model",
		`${join(folder, "config.json")}: id2label: found ${shorten(model.labels)}, ${expected}`,
	);
}
