import { type TrainConfig, trainConfigSchema } from "../../shared/settings/config.ts";
import { defaultConfig, flagOf } from "../../shared/settings/resolve-config.ts";

/** A setting of a run. */
export interface NamedSetting {
	readonly flag: string;
	readonly value: string;
	readonly isDefault: boolean;
}

/** Lists the settings of a run that have a value, in the order of the help. */
export function listSettings(config: TrainConfig): NamedSetting[] {
	const defaults: Readonly<Record<string, unknown>> = defaultConfig();
	const values: Readonly<Record<string, unknown>> = config;
	const given = Object.keys(trainConfigSchema.shape).filter((key) => values[key] !== undefined);
	return given.map((key) => {
		const isDefault = JSON.stringify(values[key]) === JSON.stringify(defaults[key]);
		return { flag: flagOf(key), value: String(values[key]), isDefault };
	});
}
