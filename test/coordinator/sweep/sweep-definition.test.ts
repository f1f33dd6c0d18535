import { join } from "node:path";
import test from "ava";
import { configOfTrial, planTrials } from "../../../coordinator/sweep/plan-trials.ts";
import { readSweepDefinition } from "../../../coordinator/sweep/sweep-definition.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

test("flags with commas and lists in a file are the values to try; each setting is tried before the next seed", async (t) => {
	const yaml = "data: texts.tsv\nlr: [0.1, 0.2]\nsplit: [[0.8, 0.1, 0.1], [0.6, 0.2, 0.2]]\ntextColumn: title,body\n";
	const folder = await temporaryFolder(t, { "sweep.yaml": `${yaml}seeds: 3\nepochs: 4\n` });
	const flags = { lr: "1e-3,2e-3,1e-3", labelColumn: "a,b", causal: "true,false", seeds: "2", seed: "7", out: "all" };
	const { definition, out } = await readSweepDefinition(flags, join(folder, "sweep.yaml"));
	t.is(out, "all");
	t.deepEqual(definition.seeds, [7, 8]);
	const splits = [
		[0.8, 0.1, 0.1],
		[0.6, 0.2, 0.2],
	];
	t.deepEqual(definition.varied, { lr: [0.001, 0.002], split: splits, causal: [true, false] });
	const { data, textColumn, labelColumn, epochs, lr } = definition.settings;
	t.deepEqual(
		[data, textColumn, labelColumn, epochs, lr],
		[join(process.cwd(), "texts.tsv"), "title,body", "a,b", 4, undefined],
	);

	const trials = planTrials(definition);
	t.is(trials.length, 16);
	t.deepEqual(
		trials.map(({ seed }) => seed),
		[...Array(8).fill(7), ...Array(8).fill(8)],
	);
	t.deepEqual(new Set(trials.map(({ seed, values }) => JSON.stringify([seed, values]))).size, 16);
	const [, second] = trials;
	t.deepEqual(second, { folder: "trial-02", seed: 7, values: { lr: 0.001, split: splits[0], causal: false } });
	const config = second && configOfTrial("/sweep", definition, second);
	t.like(config, { out: "/sweep/trial-02", seed: 7, lr: 0.001, causal: false, epochs: 4, data });
});

test("values of a preset can be overridden by values to try, and several seeds can be listed", async (t) => {
	const { definition } = await readSweepDefinition({ preset: "book", token: "first,last", seed: "3,5", data: "d" });
	t.deepEqual(definition.seeds, [3, 5]);
	t.deepEqual(
		planTrials(definition).map((trial) => configOfTrial("/", definition, trial).token),
		["first", "last", "first", "last"],
	);
	t.is(definition.settings.pad, "longest");
	const folds = await readSweepDefinition({ lr: "1,2", data: "d", folds: "3" });
	const trials = planTrials(folds.definition).map((trial) => configOfTrial("/", folds.definition, trial));
	t.deepEqual(
		trials.map(({ fold, lr }) => [fold, lr]),
		["1/3", "2/3", "3/3"].flatMap((fold) => [1, 2].map((lr) => [fold, lr])),
	);
	await t.throwsAsync(readSweepDefinition({ data: "d", fold: "1/3", folds: "3" }), {
		message: "--folds: can't be combined with --fold",
	});
	await t.throwsAsync(readSweepDefinition({ seed: "3,5", seeds: "2" }), {
		message: "--seeds: can't be combined with several values of --seed",
	});
});

test("samples are combinations chosen at random, the same ones for every seed and with the same first seed", async (t) => {
	const flags = { lr: "1,2,3,4,5,6", batch: "1,2,3,4,5,6", data: "d", samples: "5", seeds: "2" };
	const { definition } = await readSweepDefinition(flags);
	const trials = planTrials(definition);
	t.is(trials.length, 10);
	const settingsOf = (some: typeof trials) => some.map(({ values }) => JSON.stringify(values));
	t.is(new Set(settingsOf(trials)).size, 5);
	t.deepEqual(settingsOf(trials.slice(0, 5)), settingsOf(trials.slice(5)));
	t.deepEqual(planTrials((await readSweepDefinition(flags)).definition), trials);
	const other = planTrials((await readSweepDefinition({ ...flags, seed: "9" })).definition);
	t.notDeepEqual(settingsOf(other), settingsOf(trials));
	const all = await readSweepDefinition({ ...flags, samples: "99", seeds: "1" });
	t.is(planTrials(all.definition).length, 36);
});

test("the book's experiments have the settings of chapter 6, each with its own change", async (t) => {
	const { definition } = await readSweepDefinition({ preset: "book-experiments", seeds: "2" });
	const trials = planTrials(definition);
	t.is(trials.length, 36);
	const configs = trials.slice(0, 18).map((trial) => configOfTrial("/", definition, trial));
	const [first, firstToken] = configs;
	t.like(first, {
		data: "sms-spam",
		token: "last",
		pad: "longest",
		batch: 8,
		balance: "all",
		metric: "accuracy",
		lr: 5e-5,
	});
	t.like(firstToken, { token: "first", pad: "longest" });
	t.is(new Set(configs.map(({ out: _, ...config }) => JSON.stringify(config))).size, 18);
	t.deepEqual(
		configs.filter(({ trainable }) => trainable === "lora").map(({ loraAlpha }) => loraAlpha),
		[16, 8],
	);
});
