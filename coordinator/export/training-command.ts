import { basename, isAbsolute } from "node:path";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { WORKER_SETTINGS } from "../../shared/settings/flags.ts";
import { shellWord } from "../format.ts";
import { listSettings } from "../run-folder/list-settings.ts";

/** Settings of one machine, which don't affect the model. */
const OF_MACHINE = new Set<keyof TrainConfig>([...WORKER_SETTINGS, "out", "name"]);

/**
 * Formats the command that repeats a run: the settings that differ from the defaults. Of an absolute path only the name
 * of the file or folder remains, because a model card is published.
 */
export function formatTrainingCommand(config: TrainConfig): string {
	const flags = listSettings(config)
		.filter(({ key, isDefault }) => !isDefault && !OF_MACHINE.has(key))
		.flatMap(({ key, flag, values }) => {
			const own = config[key];
			if (own === true) return [flag];
			const isPath = typeof own === "string" && isAbsolute(own);
			return values.map((value) => `${flag} ${shellWord(isPath ? basename(value) : value)}`);
		});
	return ["npx tailtune train", ...flags].join(" ");
}
