import { join } from "node:path";
import test from "ava";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { newFolder } from "../new-folder.ts";
import { QUICK, tailtune, writeTexts } from "./tailtune.ts";

const settings: [title: string, flags: string[]][] = [
	["the preset of the book", ["--preset", "book", "--epochs", "8"]],
	["the head alone and two thresholds", ["--trainable", "head", "--threshold", "spam=0.45", "--threshold", "ham=best"]],
	["the last two blocks, first token", ["--trainable", "last-two-blocks", "--token", "first"]],
	["everything, in accumulated micro-batches", ["--trainable", "all", "--accumulate", "2"]],
	["LoRA with its head", ["--trainable", "lora", "--lora-rank", "4"]],
	["LoRA alone, mean of the real tokens", ["--trainable", "lora-only", "--lora-alpha", "4", "--token", "mean-real"]],
	[
		"full attention, padded to a fixed length",
		["--causal", "false", "--pad", "40", "--token", "last", "--epochs", "8"],
	],
	["the mean over pads, padded by batch", ["--token", "mean", "--pad", "bucket"]],
	[
		"texts cut short, unbalanced, several shards",
		["--max-tokens", "8", "--long", "cut", "--balance", "none", "--shards", "3"],
	],
	["TensorFlow.js alone", ["--engine", "tfjs", "--backend", "cpu"]],
];

for (const [title, flags] of settings) {
	test.serial(`a run learns with ${title}, and its saved model gives the same results`, async (t) => {
		const data = await writeTexts(30);
		const out = join(await newFolder(), "run");
		const { exitCode, stderr } = await tailtune(
			"train",
			"--data",
			data,
			"--out",
			out,
			...QUICK,
			...flags,
			"--lr",
			"3e-3",
		);
		t.is(exitCode, 0, stderr);
		const { accuracy, texts, trunk, thresholds, bestThresholds } = await readRunResult(out);
		t.deepEqual(thresholds, title.includes("thresholds") ? [bestThresholds[0], 0.45] : [null, null]);
		t.true(accuracy.train > 0.8, `accuracy ${accuracy.train}`);
		t.true(trunk.texts <= texts.distinct || title.includes("padded by batch"));
		const { stdout } = await tailtune("evaluate", out, "--data", data, "--json");
		const evaluated = JSON.parse(stdout.split("\n").at(-1) ?? "");
		const { train, validation, test: tested } = texts;
		const whole =
			(accuracy.train * train + accuracy.validation * validation + accuracy.test * tested) / evaluated.texts;
		t.true(Math.abs(evaluated.accuracy - whole) < 1e-9, `${evaluated.accuracy} for ${whole}`);
	});
}
