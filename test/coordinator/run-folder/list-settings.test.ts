import test from "ava";
import { listSettings } from "../../../coordinator/run-folder/list-settings.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";

test("settings have their values as on the command line, and one for each threshold", (t) => {
	const config = { ...defaultConfig(), lr: 0.001, threshold: { ham: 0.8, spam: "best" as const } };
	const given = listSettings(config).filter(({ isDefault }) => !isDefault);
	t.deepEqual(given, [
		{ key: "threshold", flag: "--threshold", values: ["ham=0.8", "spam=best"], isDefault: false },
		{ key: "lr", flag: "--lr", values: ["0.001"], isDefault: false },
	]);
});
