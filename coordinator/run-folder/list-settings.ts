import { type TrainConfig, trainConfigSchema } from "../../shared/settings/config.ts";
import { defaultConfig, flagOf } from "../../shared/settings/resolve-config.ts";

/** A setting of a run. */
export interface NamedSetting {
	readonly key: keyof TrainConfig;
	readonly flag: string;
	/** The values of the flag: several if it is given several times. */
	readonly values: readonly string[];
	readonly isDefault: boolean;
}

/** Lists the settings of a run that have a value, in the order of the help. */
export function listSettings(config: TrainConfig): NamedSetting[] {
	const defaults: Readonly<Record<string, unknown>> = defaultConfig();
	const values: Readonly<Record<string, unknown>> = config;
	const keys = Object.keys(trainConfigSchema.shape) as (keyof TrainConfig)[];
	return keys
		.filter((key) => values[key] !== undefined)
		.map((key) => {
			const isDefault = JSON.stringify(values[key]) === JSON.stringify(defaults[key]);
			return { key, flag: flagOf(key), values: listValues(values[key]), isDefault };
		});
}

/** A record, as of thresholds, has one value per entry: NAME=NUMBER. */
function listValues(value: unknown): string[] {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return [String(value)];
	return Object.entries(value).map(([name, number]) => `${name}=${number}`);
}
