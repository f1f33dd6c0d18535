import { type TrainConfig, trainConfigSchema } from "../../shared/settings/config.ts";
import { defaultConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import { nameOfPath, shellWord } from "../format.ts";

/** Settings of one machine, which don't affect the model. */
const OF_MACHINE = new Set(["out", "name", "threads", "engine", "backend", "featureMemory", "featureCache"]);

/**
 * Formats the command that repeats a run: the settings that differ from the defaults. Of an absolute path only the name
 * of the file or folder remains, because a model card is published.
 */
export function formatTrainingCommand(config: TrainConfig): string {
	const defaults: Readonly<Record<string, unknown>> = defaultConfig();
	const values: Readonly<Record<string, unknown>> = config;
	const flags = Object.keys(trainConfigSchema.shape)
		.filter((key) => values[key] !== undefined && !OF_MACHINE.has(key))
		.filter((key) => JSON.stringify(values[key]) !== JSON.stringify(defaults[key]))
		.flatMap((key) => formatFlags(flagOf(key), values[key]));
	return ["npx tailtune train", ...flags].join(" ");
}

function formatFlags(flag: string, value: unknown): string[] {
	if (value === true) return [flag];
	if (typeof value !== "object" || value === null || Array.isArray(value))
		return [`${flag} ${shellWord(nameOfPath(String(value)))}`];
	return Object.entries(value).map(([label, number]) => `${flag} ${shellWord(`${label}=${number}`)}`);
}
