import { resolve } from "node:path";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { isModelFolder } from "../base-model/resolve-model.ts";
import { isNamedDataset } from "../data/load-dataset.ts";

/** Makes the paths of data and model absolute, so that the run can be resumed from any folder. */
export async function makePathsAbsolute<Config extends TrainConfig>(config: Config): Promise<Config> {
	const { data, train, validation, test, model } = config;
	const files = Object.entries({ data, train, validation, test }).flatMap(([key, path]) =>
		path === undefined || isNamedDataset(path) ? [] : [[key, resolve(path)]],
	);
	return {
		...config,
		...Object.fromEntries(files),
		...((await isModelFolder(model)) && { model: resolve(model) }),
	};
}
