import { readFile } from "node:fs/promises";
import test from "ava";
import { trainConfigSchema } from "../../shared/settings/config.ts";
import { defaultConfig, flagOf } from "../../shared/settings/resolve-config.ts";

test("README's table lists every setting with its flag, default and meaning", async (t) => {
	const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
	const defaults = defaultConfig();
	const rows = Object.entries(trainConfigSchema.shape).map(([key, { description }]) => {
		const preset = defaults[key as keyof typeof defaults] ?? "";
		return `| \`${flagOf(key)}\` | ${preset} | ${description} |`;
	});
	const table = readme.split("\n").filter((line) => line.startsWith("| `--"));
	t.deepEqual(table, rows);
});
