import type { z } from "zod";
import { describeIssue } from "../describe-issue.ts";
import { TailtuneError } from "../errors.ts";
import { readTextFile } from "../files/text-file.ts";
import { PRESETS, type TrainConfig, trainConfigSchema } from "./config.ts";

type Settings = Record<string, unknown>;

const MOST_CONFIG_BYTES = 1 << 20;

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
	const fromFile = file === undefined ? {} : await readConfigFile(file);
	checkConfig(fromFile, (key) => `${file}: ${key}`);
	const given = { ...fromFile, ...flags };
	const { preset } = checkConfig(given, flagOf);
	const config = checkConfig({ ...(preset && PRESETS[preset]), ...given }, flagOf);
	if (config.localSteps === 1) refuseOuterSettings(config);
	return config;
}

function refuseOuterSettings(config: TrainConfig): void {
	const preset = defaultConfig();
	for (const key of ["outerLr", "outerMomentum"] as const) {
		if (config[key] === preset[key]) continue;
		throw new TailtuneError("usage", `${flagOf(key)}: found ${config[key]}, expected --local-steps above 1 with it`);
	}
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

async function readConfigFile(file: string): Promise<Settings> {
	const text = await readTextFile(file, MOST_CONFIG_BYTES);
	const { parse } = await import("yaml");
	let settings: unknown;
	try {
		settings = parse(text);
	} catch (cause) {
		const reason = cause instanceof Error ? cause.message.split("\n")[0]?.replace(/:$/, "") : String(cause);
		throw new TailtuneError("usage", `--config ${file}: ${reason}`, { cause });
	}
	if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
		throw new TailtuneError("usage", `--config ${file}: expected settings as "key: value" lines`);
	}
	return settings as Settings;
}

function describe(issue: z.core.$ZodIssue, nameOf: (key: string) => string): string {
	if (issue.code === "unrecognized_keys") return `${nameOf(issue.keys[0] ?? "")}: unknown setting`;
	return `${nameOf(String(issue.path[0] ?? ""))}: ${describeIssue(issue)}`;
}
