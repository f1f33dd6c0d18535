import type { z } from "zod";
import { describeIssue } from "../describe-issue.ts";
import { TailtuneError } from "../errors.ts";
import { PRESETS, type TrainConfig, trainConfigSchema } from "./config.ts";

type Settings = Record<string, unknown>;

/** Returns the flag of a setting: `--eval-every` for `evalEvery`. */
export function flagOf(key: string): string {
	return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Returns the configuration of a run. Flags override the file, the file the preset, and the preset the defaults.
 * @param flags settings from the command line, by key of the schema
 * @param file the YAML or JSON file of `--config`
 * @throws TailtuneError "usage" that names the flag or the key in the file, the value found and the value expected
 */
export async function resolveConfig(flags: Settings, file?: string): Promise<TrainConfig> {
	const fromFile = file === undefined ? {} : await (await import("./config-file.ts")).readConfigFile(file);
	checkConfig(fromFile, (key) => `${file}: ${key}`);
	return completeConfig({ ...fromFile, ...flags }, flagOf);
}

/** Adds the settings of the preset and the defaults, and checks all. @param nameOf as in `checkConfig` */
export function completeConfig(given: Settings, nameOf: (key: string) => string): TrainConfig {
	const { preset, multiLabel } = checkConfig(given, nameOf);
	return checkConfig({ ...(preset && PRESETS[preset]), ...(multiLabel && { balance: "none" }), ...given }, nameOf);
}

/** Checks settings against the schema. @param nameOf returns the name of a key for error messages */
export function checkConfig(settings: Settings, nameOf: (key: string) => string): TrainConfig {
	const { success, data, error } = trainConfigSchema.safeParse(settings, { reportInput: true });
	if (success) return data;
	throw new TailtuneError("usage", describe(error.issues[0] as z.core.$ZodIssue, nameOf), { cause: error });
}

/** Returns the defaults of the schema, for help texts and documents. */
export function defaultConfig(): TrainConfig {
	return trainConfigSchema.parse({});
}

function describe(issue: z.core.$ZodIssue, nameOf: (key: string) => string): string {
	if (issue.code === "unrecognized_keys") return `${nameOf(issue.keys[0] ?? "")}: unknown setting`;
	return `${nameOf(String(issue.path[0] ?? ""))}: ${describeIssue(issue)}`;
}
