import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { trainConfigSchema } from "../../../shared/settings/config.ts";
import { parseFlags } from "../../../shared/settings/flags.ts";
import { defaultConfig, flagOf, resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { newFolder } from "../../new-folder.ts";

const yaml = async (text: string) => {
	const file = join(await newFolder(), "run.yaml");
	await writeFile(file, text);
	return file;
};

const refused: [title: string, flags: Record<string, string | string[]>, message: string][] = [
	["a word for a number", { epochs: "many" }, '--epochs: found "many", expected a number'],
	["a fraction for a whole number", { epochs: "1.5" }, "--epochs: found 1.5, expected a whole number"],
	["zero epochs", { epochs: "0" }, "--epochs: found 0, expected at least 1"],
	["a learning rate of zero", { lr: "0" }, "--lr: found 0, expected more than 0"],
	[
		"an unknown token",
		{ token: "middle" },
		'--token: found "middle", expected one of last-real, last, first, mean, mean-real',
	],
	["a word for a switch", { causal: "maybe" }, '--causal: found "maybe", expected true or false'],
	[
		"fractions that don't add up",
		{ split: "0.5,0.1,0.1" },
		"--split: found [0.5,0.1,0.1], expected three fractions that add up to 1",
	],
	["an unknown padding", { pad: "some" }, '--pad: found "some", expected one of bucket, longest, or a number'],
	["a threshold without a label", { threshold: ["0.5"] }, "--threshold: found 0.5, expected LABEL=P or LABEL=best"],
	["a threshold above 1", { threshold: ["a=b=1.5"] }, "--threshold: found 1.5, expected at most 1"],
	[
		"an odd size",
		{ featureMemory: "2 elephants" },
		'--feature-memory: found "2 elephants", expected a number of bytes, or a size as in 512MiB or 2GiB',
	],
];

for (const [title, flags, message] of refused) {
	test(`refuses ${title}`, async (t) => {
		await t.throwsAsync(async () => resolveConfig(parseFlags(flags)), { message });
	});
}

test("thresholds of several labels are read, also of one with = in its name", async (t) => {
	const { threshold } = await resolveConfig(parseFlags({ threshold: ["a=b=0.5", "c=best"] }));
	t.deepEqual(threshold, { "a=b": 0.5, c: "best" });
});

test("flags override the file, the file the preset, and the preset the defaults", async (t) => {
	const file = await yaml("preset: book\ntoken: first\nepochs: 7\n");
	const config = await resolveConfig({ epochs: 2 }, file);
	t.like(config, { epochs: 2, token: "first", pad: "longest", keep: "last", batch: 8 });
});

test("an unknown key of a file is refused by name", async (t) => {
	const file = await yaml("epoch: 3\n");
	await t.throwsAsync(resolveConfig({}, file), { message: `${file}: epoch: unknown setting` });
});

test("a file that isn't YAML is refused in one line", async (t) => {
	const file = await yaml("a: [1,\n");
	const error = await t.throwsAsync(resolveConfig({}, file));
	t.false(error.message.includes("\n"));
	t.true(error.message.startsWith(`--config ${file}: `));
});

test("a saved configuration is read back unchanged", async (t) => {
	const config = await resolveConfig(
		parseFlags({ split: "0.8,0.1,0.1", causal: "false", preset: "book", featureMemory: "2GiB" }),
	);
	t.deepEqual(await resolveConfig(JSON.parse(JSON.stringify(config))), config);
});

test("every setting has a description and a flag of its own", (t) => {
	const keys = Object.keys(trainConfigSchema.shape);
	t.is(new Set(keys.map(flagOf)).size, keys.length);
	t.deepEqual(
		Object.entries(trainConfigSchema.shape).filter(([, schema]) => !schema.description),
		[],
	);
	t.is(defaultConfig().lr, 5e-5);
});
