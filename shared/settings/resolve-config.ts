import type { z } from "zod";
import { describeIssue } from "../describe-issue.ts";
import { TailtuneError } from "../errors.ts";
import { readTextFile } from "../files/text-file.ts";
import { PRESETS, type TrainConfig, trainConfigSchema } from "./config.ts";

type Settings = Record<string, unknown>;

const MOST_CONFIG_BYTES = 1 << 20;

/** The flag of a setting: `--eval-every` of `evalEvery`. */
export function flagOf(key: string): string {
	return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * The configuration of a run: flags win over the file, the file over the preset, the preset over the defaults.
 * @param flags settings given on the command line, by key of the schema
 * @param file a YAML (or JSON) file, of `--config`
 * @throws TailtuneError "usage" that names the flag or the file's key, what was found and what was expected
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
		throw new TailtuneError(
			"usage",
			`${flagOf(key)}: found ${config[key]}, expected --local-steps of more than 1 with it`,
		);
	}
}

/** Checks settings against the schema; `nameOf` says how a key is called where it came from. */
export function checkConfig(settings: Settings, nameOf: (key: string) => string): TrainConfig {
	const { success, data, error } = trainConfigSchema.safeParse(settings, { reportInput: true });
	if (success) return data;
	throw new TailtuneError("usage", describe(error.issues[0] as z.core.$ZodIssue, nameOf), { cause: error });
}

/** The defaults of the schema, for help and documents. */
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
	if (issue.code === "unrecognized_keys") return `${nameOf(issue.keys[0] ?? "")}: there is no such setting`;
	return `${nameOf(String(issue.path[0] ?? ""))}: ${describeIssue(issue)}`;
}
