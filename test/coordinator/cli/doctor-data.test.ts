import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { describeData, inspectData } from "../../../coordinator/cli/doctor-data.ts";
import { estimateSteps, measureUpdate } from "../../../coordinator/cli/estimate-steps.ts";
import { jsonLineSchema } from "../../../coordinator/events/json-line-schemas.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { TINY } from "../../shared/model/tiny-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { REPO, startFakeHub } from "../base-model/fake-hub.ts";

const RATES = [
	{ precision: "fp32", threads: 2, productsGflops: 200, trunkGflops: 100 },
	{ precision: "int8", threads: 2, productsGflops: 900, trunkGflops: 300 },
] as const;
const speedTests = { measureRates: async () => [...RATES], measureUpdate: () => 0.01 };

test("doctor prints format, columns and possible faults of data, and the time of the frozen blocks", async (t) => {
	const folder = await temporaryFolder(t, {
		"train.csv": `text;label\n${"hi there;ham\n".repeat(3)}win;spam\nwin;ham\n;ham\nx;\na;b;c\nbye;Ham\nhi;ham\n\n`,
		"test.csv": "text;label\nhi there;ham\nnew one here;spam\n",
	});
	const [train, other] = ["train.csv", "test.csv"].map((name) => join(folder, name)) as [string, string];
	const config = { ...defaultConfig(), train, test: other, maxTokens: 2, batch: 3, epochs: 4 };
	const report = await inspectData(undefined, config, speedTests);
	t.deepEqual(describeData(report), [
		`file      ${train}: CSV separated by semicolons, UTF-8; 7 texts`,
		"columns   text, label",
		"refused   3 of the rows can't be used, for example:",
		`          ${train}:7: the text is empty`,
		`          ${train}:8: no label`,
		`          ${train}:9: found 3 fields, expected 2 as in the header`,
		`file      ${other}: CSV separated by semicolons, UTF-8; 2 texts`,
		"columns   text, label",
		"class     ham: 6 texts (66.7 %)",
		"class     spam: 2 texts (22.2 %)",
		"class     Ham: 1 text (11.1 %)",
		"tokens    15 in all; median 2, 95 % of texts up to 3, longest 3",
		"odd       the largest class has 6.0 times the texts of the smallest (see --balance)",
		'odd       these labels differ only in case or spaces: "ham", "Ham"',
		"odd       equal to an earlier text: 4 texts",
		`odd       equal to an earlier text but with another label: 1 text, for example ${train}:5 and ${train}:6`,
		"odd       in --validation or --test and also in --train: 1 text",
		"odd       more than 2 tokens: 1 text (a run refuses them, see --long)",
		"time      about 0.2 s on this machine: 22 ms for the frozen blocks of GPT-2 small, 0.2 s for the training steps",
		"memory    about 794.0 MiB for a run with GPT-2 small in one process, 3.5 GiB with --trainable all",
	]);
	// 2 steps per epoch from 7 training texts.
	t.is(report.trainingSeconds, 4 * 2 * 2.4 * 0.01);
	// 14 tokens within the limit, 11 blocks, 12 n^2 weights per block, a multiplication and an addition each.
	t.is(report.trunkSeconds, (14 * 11 * 12 * 768 * 768 * 2) / 100e9);
	t.notThrows(() => jsonLineSchema.parse({ event: "data-report", ...report }));
});

test("doctor finds nothing odd in good data, and says if the time can't be told", async (t) => {
	const folder = await temporaryFolder(t, { "a.tsv": "ham\tone\nspam\ttwo\n", "b.csv": "text,label\n,x\n" });
	const report = await inspectData(join(folder, "a.tsv"), defaultConfig(), {
		...speedTests,
		measureRates: async () => {
			throw new Error("no disk");
		},
	});
	t.deepEqual(describeData(report).slice(-4, -1), [
		"tokens    2 in all; median 1, 95 % of texts up to 1, longest 1",
		"odd       nothing found",
		"time      can't be told: the speed of this machine can't be measured",
	]);
	await t.throwsAsync(inspectData(join(folder, "b.csv"), defaultConfig(), speedTests), {
		code: "data",
		message: /b\.csv:2: the text is empty$/,
	});
	await t.throwsAsync(inspectData(join(folder, "b.csv"), { ...defaultConfig(), textColumn: "body" }, speedTests), {
		code: "data",
		message: /b\.csv:1: no column "body"/,
	});
});

test("doctor reads several labels per text and long texts as a run would, with the context and the time of --model", async (t) => {
	const folder = await temporaryFolder(t, {
		"a.csv": `text,label\n${"word ".repeat(300)},a|b\nnone,\n"x","b, a"\nsame,b|a\nsame,a|b\nsame,a\nbad,a||b\n`,
	});
	const config = { ...defaultConfig(), multiLabel: true, long: "windows" as const };
	const report = await inspectData(join(folder, "a.csv"), config, speedTests, "demo");
	const lines = describeData(report);
	t.deepEqual(lines.slice(2, 6), [
		"refused   1 of the rows can't be used, for example:",
		`          ${join(folder, "a.csv")}:8: labels: found "" in "a||b", expected labels with | between`,
		"class     a: 4 texts (66.7 %)",
		"class     b: 3 texts (50.0 %)",
	]);
	t.true(lines.includes("odd       without a label: 1 text"));
	const joined = 'label "b, a" seems to be several (see --multi-label; | is expected between)';
	t.true(lines.includes(`odd       ${joined}`));
	t.true(lines.some((line) => line.startsWith("odd       equal to an earlier text but with another label: 1 text")));
	t.true(lines.includes("odd       more than 256 tokens: 1 text (they are read in windows)"));
	t.regex(lines.at(-2) ?? "", /^time {6}about .* on this machine: .* for the frozen blocks of demo/);
	const { tokens, model, trunkSeconds } = report;
	t.is(tokens.computed, tokens.total - tokens.longest + 2 * 256);
	t.is(trunkSeconds, (tokens.computed * (model.blocks - 1) * 12 * model.width ** 2 * 2) / 100e9);
	t.notThrows(() => jsonLineSchema.parse({ event: "data-report", ...report }));
});

test("doctor counts tokens with the tokenizer of a hub model, without its weights", async (t) => {
	const folder = await temporaryFolder(t, { "a.csv": "text,label\nDer Ufer,a\nDer,b\n" });
	const hub = await startFakeHub(t, {
		"config.json": Buffer.from(JSON.stringify({ ...TINY, model_type: "gpt2", vocab_size: 300 })),
		"tokenizer.json": await readFile(new URL("../../golden/tokenizers/word-piece.json", import.meta.url)),
	});
	Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: await temporaryFolder(t) });
	const { tokens, model } = await inspectData(join(folder, "a.csv"), defaultConfig(), speedTests, REPO);
	// [CLS] and [SEP] around "der", "ufer", and around "der".
	t.deepEqual([tokens.longest, tokens.total], [4, 7]);
	t.is(model.name, REPO);
});

test("the time of an update is measured with the last block of a model", (t) => {
	t.true(measureUpdate(TINY, 8) > 0);
	t.is(
		estimateSteps(TINY, 7, { batch: 8, epochs: 5, accumulate: 1 }, () => 1),
		0,
	);
});
