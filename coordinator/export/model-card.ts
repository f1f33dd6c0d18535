import { stringify } from "yaml";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { parseHubId } from "../base-model/hub-id.ts";
import type { ClassifierSettings } from "../classify/classifier-settings.ts";
import { isHubName, parseHubName } from "../data/hub-name.ts";
import {
	formatCorrelation,
	formatCorrelationInterval,
	formatCount,
	formatLoss,
	formatPercent,
	formatShare,
	formatShareInterval,
	formatShareWithInterval,
	nameOfPath,
} from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { escapeMarkdown, formatTable } from "./markdown.ts";
import { formatTrainingCommand } from "./training-command.ts";

/** Most labels that are named in the first sentence. */
const MOST_NAMES = 10;

/** A finished run, as its model card describes it. */
export interface DescribedRun {
	readonly config: TrainConfig;
	readonly result: RunResult;
	readonly settings: ClassifierSettings;
}

/**
 * Formats the model card of a run (`README.md` of a repository on the Hugging Face hub): use, data, scores with
 * intervals, limits and training.
 * @param usage Markdown that says how programs load the exported files
 */
export function formatModelCard(run: DescribedRun, usage: string): string {
	return `---
${stringify(frontMatter(run))}---

# ${escapeMarkdown(nameOf(run.config))}

${describeModel(run)}

## Use

${usage}

## Data

${describeData(run)}

## Results

${describeScores(run.result)}

## Limits

${describeLimits(run)
	.map((limit) => `- ${limit}`)
	.join("\n")}

## Training

    ${formatTrainingCommand(run.config)}

${describeTraining(run)}
`;
}

/** Metadata that the hub reads. */
function frontMatter({ config, result }: DescribedRun) {
	const base = parseHubId(config.model);
	const score = (type: string, value: number) => ({ type, value: Number(value.toFixed(4)) });
	const scored = {
		task: { type: "text-classification" },
		dataset: { type: "tailtune", name: dataName(config), split: "test" },
		metrics: [score("accuracy", result.accuracy.test), score("f1", result.macroF1.test)],
	};
	return {
		library_name: "transformers",
		pipeline_tag: "text-classification",
		...(base && { base_model: base.repo }),
		...(config.data !== undefined && isHubName(config.data) && { datasets: [parseHubName(config.data).repo] }),
		tags: ["gpt2", "tailtune"],
		"model-index": [{ name: nameOf(config), results: [scored] }],
	};
}

function dataName({ data, train }: TrainConfig): string {
	return nameOfPath(data ?? train ?? "");
}

function nameOf({ name, out }: TrainConfig): string {
	return name ?? nameOfPath(out ?? "Text classifier");
}

function describeModel({ config, result, settings }: DescribedRun): string {
	const shown = result.labels.slice(0, MOST_NAMES).map((label) => `“${escapeMarkdown(label)}”`);
	const others = result.labels.length - shown.length;
	const names = `${shown.join(", ")}${others > 0 ? ` and ${formatCount(others)} more` : ""}`;
	const kind = settings.multiLabel ? "any number of the labels" : "one of the labels";
	return `A GPT-2 classifier that gives a text ${kind} ${names}. It was tuned from ${escapeMarkdown(nameOfPath(config.model))} with Tailtune.`;
}

function describeData({ config, result }: DescribedRun): string {
	const files = result.data.files.map(({ file, format, texts }) => [
		escapeMarkdown(nameOfPath(file)),
		escapeMarkdown(format),
		formatCount(texts),
	]);
	const columns = ["read", "train", "validation", "test", "unused", "repeats"] as const;
	const classes = result.classes.map((of) => [escapeMarkdown(of.label), ...columns.map((key) => formatCount(of[key]))]);
	const { tokens, equal } = result.data;
	const isSplit = config.data !== undefined;
	const [train = 0, validation = 0, test = 0] = config.split;
	const shares = [train, validation, test].map(formatPercent).join(", ");
	return `${formatTable(["file", "format", "texts"], files)}

${isSplit ? `The texts were split at random (seed ${config.seed}) into ${shares} for training, validation and test.` : "The texts were split before."}
${formatCount(equal)} texts equal another one${config.dedupe === "equal" && isSplit ? "; equal texts are in the same set" : ""}.
A text has ${formatCount(tokens.median)} tokens (median), the longest one ${formatCount(tokens.longest)}.

${formatTable(["label", "read", "training", "validation", "test", "not used", "repeats"], classes)}`;
}

function describeScores(result: RunResult): string {
	const { accuracy, macroF1, balancedAccuracy, mcc, loss, intervals, texts, wordBaseline, majorityBaseline } = result;
	const micro = result.multiLabel?.microF1.test;
	const overall = [
		["accuracy", formatPercent(accuracy.test), formatShareInterval(intervals.accuracy)],
		["macro F1", formatPercent(macroF1.test), formatShareInterval(intervals.macroF1)],
		...(micro === undefined
			? []
			: [["micro F1", formatPercent(micro), formatShareInterval(intervals.microF1 ?? null)]]),
		["balanced accuracy", formatPercent(balancedAccuracy.test), formatShareInterval(intervals.balancedAccuracy)],
		["MCC", formatCorrelation(mcc.test), formatCorrelationInterval(intervals.mcc)],
		["loss (not calibrated)", formatLoss(loss.test), ""],
		[`always “${escapeMarkdown(majorityBaseline.label)}”: accuracy`, formatPercent(majorityBaseline.accuracy), ""],
		...(wordBaseline ? [["logistic regression on words: accuracy", formatPercent(wordBaseline.accuracy), ""]] : []),
	];
	const perClass = result.perClass.map((of) => [
		escapeMarkdown(of.label),
		formatShareWithInterval(of.precision, of.precisionInterval),
		formatShareWithInterval(of.recall, of.recallInterval),
		formatShare(of.f1),
		formatCount(of.support),
	]);
	return `On ${formatCount(texts.test)} test texts, with 95 % confidence intervals:

${formatTable(["score", "value", "interval"], overall)}

${formatTable(["label", "precision", "recall", "F1", "texts"], perClass)}`;
}

function describeLimits({ config, result, settings }: DescribedRun): string[] {
	const { maxTokens, long, thresholds, abstain, labels } = settings;
	const { calibration, testTextsAlsoInTraining: overlap } = result;
	const chosen = labels.flatMap((label, index) => {
		const threshold = thresholds[index];
		return threshold == null ? [] : [`${escapeMarkdown(label)} ${formatPercent(threshold)}`];
	});
	return [
		"The scores hold for texts like those above. Texts of other sources or languages may give worse ones.",
		`A text has at most ${formatCount(maxTokens)} tokens. ${LONG_LIMITS[long]}`,
		calibration
			? `Probabilities are calibrated for texts like those above: expected calibration error ${formatPercent(calibration.error)}.`
			: "Probabilities are not calibrated.",
		...(overlap > 0 ? [`${formatCount(overlap)} test texts are also in the training set.`] : []),
		...(chosen.length > 0
			? [`Tailtune predicts a label from this probability on: ${chosen.join(", ")}. Other programs ignore this.`]
			: []),
		...(abstain > 0 ? [`Tailtune gives no label below a probability of ${formatPercent(abstain)}.`] : []),
		...(config.specialTokens === "text"
			? [
					"Names of special tokens in a text, for example `<|endoftext|>`, were ordinary text in training. Programs that ignore `split_special_tokens` in `tokenizer_config.json` read them as tokens.",
				]
			: []),
	];
}

const LONG_LIMITS = {
	refuse: "Training refused longer texts.",
	cut: "Of longer texts, training read the first tokens; cut them in the same way (`truncation=True`).",
	"head-tail": "Of longer texts, training read the first and the last half of the limit.",
	windows: "Longer texts were read in overlapping windows, whose logits are averaged; other programs have to do that.",
} as const;

function describeTraining({ result }: DescribedRun): string {
	const { kept, versions } = result;
	const reason = kept.reason === "best" ? `best ${kept.metric} on validation` : "last epoch";
	const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
	return `Weights of epoch ${kept.epoch} (${reason}). ${packages.join(", ")}.`;
}
