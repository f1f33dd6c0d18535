import { type Command, Option } from "commander";
import { type TrainConfig, trainConfigSchema } from "./config.ts";
import { defaultConfig, flagOf } from "./resolve-config.ts";

type Key = keyof TrainConfig;

const ALL_SETTINGS = Object.keys(trainConfigSchema.shape) as Key[];

/** Settings that choose what computes. */
export const ENGINE_SETTINGS = ["engine", "backend", "threads", "featureMemory"] as const satisfies Key[];

/** Adds a flag for each of those settings of the schema; values stay as typed until `parseFlags`. */
export function addConfigFlags(command: Command, keys: readonly Key[] = ALL_SETTINGS): Command {
	const defaults = defaultConfig();
	for (const key of keys) {
		const description = trainConfigSchema.shape[key].description ?? "";
		const preset = defaults[key];
		const suffix = preset === undefined ? "" : ` (default: ${preset})`;
		command.addOption(new Option(`${flagOf(key)} <value>`, `${description}${suffix}`));
	}
	return command;
}

/** What was typed, as the schema wants it: numbers, booleans and lists become such; the rest stays text. */
export function parseFlags(options: Record<string, unknown>): Record<string, unknown> {
	const settings: Record<string, unknown> = {};
	for (const key of ALL_SETTINGS) {
		const value = options[key];
		if (value !== undefined)
			settings[key] = key === "split" ? String(value).split(",").map(literal) : typed(key, value);
	}
	return settings;
}

// A text stays one although it looks like a number, as a file named 2024 does.
function typed(key: Key, value: unknown): unknown {
	return trainConfigSchema.shape[key].safeParse(value).success ? value : literal(value);
}

function literal(value: unknown): unknown {
	if (value === "true") return true;
	if (value === "false") return false;
	const isNumber = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
	return isNumber ? Number(value) : value;
}
