import { type Command, Option } from "commander";
import { TailtuneError } from "../errors.ts";
import { type TrainConfig, trainConfigSchema } from "./config.ts";
import { defaultConfig, flagOf } from "./resolve-config.ts";

type Key = keyof TrainConfig;

const ALL_SETTINGS = Object.keys(trainConfigSchema.shape) as Key[];

/** Settings of the engine, and the memory for features. */
export const ENGINE_SETTINGS = ["engine", "backend", "threads", "featureMemory"] as const satisfies Key[];

/** Settings of a worker. */
export const WORKER_SETTINGS = [...ENGINE_SETTINGS, "featureCache"] as const satisfies Key[];

/**
 * Adds one flag per setting in `keys`. The values stay text until `parseFlags`. A flag for true needs no value.
 * @param keys default: all settings
 */
export function addConfigFlags(command: Command, keys: readonly Key[] = ALL_SETTINGS): Command {
	const defaults = defaultConfig();
	for (const key of keys) {
		const description = trainConfigSchema.shape[key].description ?? "";
		const preset = defaults[key];
		const suffix = preset === undefined ? "" : ` (default: ${preset})`;
		const value = typeof preset === "boolean" ? "[value]" : "<value>";
		const option = new Option(`${flagOf(key)} ${value}`, `${description}${suffix}`);
		if (key === "threshold") option.argParser((own: string, others: string[] = []) => [...others, own]);
		command.addOption(option);
	}
	return command;
}

/** Returns the settings given as flags, with numbers, booleans and lists parsed from their text. */
export function parseFlags(options: Record<string, unknown>): Record<string, unknown> {
	const settings: Record<string, unknown> = {};
	for (const key of ALL_SETTINGS) {
		const value = options[key];
		if (value !== undefined) settings[key] = parseFlag(key, value);
	}
	return settings;
}

function parseFlag(key: Key, value: unknown): unknown {
	if (key === "split") return String(value).split(",").map(literal);
	if (key === "threshold" && Array.isArray(value)) return Object.fromEntries(value.map(parseThreshold));
	return typed(key, value);
}

/** Parses LABEL=P; a label may contain "=". */
function parseThreshold(value: string): [label: string, threshold: unknown] {
	const sign = value.lastIndexOf("=");
	if (sign > 0) return [value.slice(0, sign), literal(value.slice(sign + 1))];
	throw new TailtuneError("usage", `--threshold: found ${value}, expected LABEL=P or LABEL=best`);
}

// If the schema accepts the text itself, it stays text: a file may be named 2024.
function typed(key: Key, value: unknown): unknown {
	return trainConfigSchema.shape[key].safeParse(value).success ? value : literal(value);
}

function literal(value: unknown): unknown {
	if (value === "true") return true;
	if (value === "false") return false;
	const isNumber = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
	return isNumber ? Number(value) : value;
}
