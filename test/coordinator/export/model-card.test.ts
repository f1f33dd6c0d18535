import test from "ava";
import { parse } from "yaml";
import type { ClassifierSettings } from "../../../coordinator/classify/classifier-settings.ts";
import { formatModelCard } from "../../../coordinator/export/model-card.ts";
import type { TrainConfig } from "../../../shared/settings/config.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { sampleResult } from "../run-folder/sample-run.ts";

const LABELS = ["ham", "a | b <i>"];

function cardOf(config: Partial<TrainConfig>, settings: Partial<ClassifierSettings> = {}): string {
	const own = { labels: LABELS, maxTokens: 120, long: "cut", multiLabel: false, thresholds: [], abstain: 0 } as const;
	const all = { ...own, ...settings } as unknown as ClassifierSettings;
	return formatModelCard(
		{ config: { ...defaultConfig(), ...config }, result: sampleResult(LABELS), settings: all },
		"    use",
	);
}

test("a model card has the data, the split, the scores with intervals, the limits and the command", (t) => {
	const result = sampleResult(LABELS);
	const card = cardOf(
		{
			data: "/home/me/my mails.csv",
			lr: 0.001,
			out: "/home/me/runs/mails",
			model: `openai-community/gpt2-medium@${"1234567890".repeat(4)}`,
			threads: 7,
			threshold: { "/ham": 0.8, spam: "best" },
		},
		{ thresholds: [0.8, null], abstain: 0.6 },
	);
	const [lower = 0, upper = 0] = result.intervals.accuracy ?? [];
	const percent = (share: number) => (100 * share).toFixed(1);
	for (const part of [
		"# mails\n",
		"labels “ham”, “a \\| b \\<i\\>”. It was tuned from openai-community/gpt2-medium@1234567 with Tailtune.",
		"| sms.tsv | TSV, UTF-8 | 1,494 |",
		"into 70.0 %, 10.0 %, 20.0 % for training, validation and test",
		"| ham | 747 | 500 | 75 | 149 | 23 | 0 |",
		`| accuracy | ${percent(result.accuracy.test)} % | ${percent(lower)}–${percent(upper)} % |`,
		"at most 120 tokens. Of longer texts, training read the first tokens",
		"expected calibration error 2.1 %",
		"12 test texts are also in the training set",
		"predicts a label from this probability on: ham 80.0 %.",
		"no label below a probability of 60.0 %",
		"    npx tailtune train --data 'my mails.csv' ",
		` --model openai-community/gpt2-medium@${"1234567890".repeat(4)} `,
		" --threshold /ham=0.8 --threshold spam=best",
		" --lr 0.001",
		"Weights of epoch 4 (best macro-f1 on validation). tailtune 0.1.0",
	])
		t.true(card.includes(part), part);
	t.false(card.includes("/home/me"), "no path of this machine");
});

test("the hub finds base model, data set and scores in the model card", (t) => {
	const data = "hub:stanfordnlp/imdb@main:train";
	const card = cardOf({ name: 'my: "model"', data, model: "openai-community/gpt2@v1" });
	const [, front = ""] = card.split("---\n");
	t.like(parse(front), {
		library_name: "transformers",
		pipeline_tag: "text-classification",
		base_model: "openai-community/gpt2",
		datasets: ["stanfordnlp/imdb"],
	});
	t.is(parse(front)["model-index"][0].name, 'my: "model"');
	const scores = parse(front)["model-index"][0].results[0].metrics;
	t.is(scores[0].value, Number(sampleResult(LABELS).accuracy.test.toFixed(4)));
	const [, local = ""] = cardOf({ data: "mails.csv", model: "demo" }).split("---\n");
	t.deepEqual([parse(local).base_model, parse(local).datasets], [undefined, undefined]);
});
