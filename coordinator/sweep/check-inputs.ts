import { stat } from "node:fs/promises";
import { TailtuneError } from "../../shared/errors.ts";
import { toReadError } from "../../shared/files/regular-file.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { checkModelName } from "../base-model/resolve-model.ts";
import { isNamedDataset } from "../data/load-dataset.ts";
import { DATA_REQUIRED } from "../data/load-sets.ts";
import type { SweepDefinition } from "./sweep-definition.ts";

/**
 * Checks that the texts and the models of a sweep exist, so that nothing is written if they don't.
 * @throws TailtuneError "usage" or "not-found" that names the flag or the file
 */
export async function checkInputs({ settings, varied }: SweepDefinition): Promise<void> {
	const { data, train, validation, test, model } = settings as Partial<TrainConfig>;
	if (data === undefined && train === undefined) throw new TailtuneError("usage", DATA_REQUIRED);
	for (const path of [data, train, validation, test]) {
		if (path === undefined || isNamedDataset(path)) continue;
		await stat(path).catch((error: unknown) => {
			throw toReadError(path, error);
		});
	}
	for (const name of varied.model ?? [model]) await checkModelName(String(name));
}
