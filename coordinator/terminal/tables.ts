import { isAbsolute, relative } from "node:path";
import Table from "cli-table3";
import { printable } from "../../shared/printable.ts";
import { formatCount, formatLoss, formatPercent, formatSeconds, shellWord } from "../format.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import { baselineLine } from "./evaluation-lines.ts";
import type { Paint } from "./paint.ts";

/** Head of the lines of `epochLine`. */
export const EPOCH_HEAD = "epoch   train loss   accuracy   validation loss   accuracy";

/** Formats one evaluation, in the columns of `EPOCH_HEAD`. */
export function epochLine({ epoch, train, validation }: MetricsLine): string {
	return [
		String(epoch).padStart(5),
		formatLoss(train.loss).padStart(13),
		formatPercent(train.accuracy).padStart(11),
		formatLoss(validation.loss).padStart(18),
		formatPercent(validation.accuracy).padStart(11),
	].join("");
}

/** Formats the scores and the times of a run, and the commands to use its model. */
export function resultLines(folder: string, result: RunResult, paint: Paint): string[] {
	const path = shortPath(folder);
	return [
		"",
		...scoreTable(result, paint),
		...remarks(result),
		"",
		secondsLine(result.seconds),
		"",
		`results   ${printable(path)}`,
		"report    report.html in that folder",
		`classify  npx tailtune classify ${shellWord(path)} "your text"`,
	];
}

function scoreTable({ accuracy, loss, texts }: RunResult, paint: Paint): string[] {
	const sets = ["train", "validation", "test"] as const;
	const strong = (set: string, text: string) => (set === "test" ? paint("bold", text) : text);
	const table = new Table({
		style: { head: [], border: [], compact: true },
		colAligns: ["left", "right", "right", "right"],
		head: ["", ...sets.map((set) => strong(set, set))],
	});
	table.push(
		["accuracy", ...sets.map((set) => strong(set, formatPercent(accuracy[set])))],
		["loss", ...sets.map((set) => formatLoss(loss[set]))],
		["texts", ...sets.map((set) => formatCount(texts[set]))],
	);
	return table.toString().split("\n");
}

function remarks(result: RunResult): string[] {
	const { majorityBaseline, testTextsAlsoInTraining, texts, kept, stopped, refused } = result;
	const baseline = baselineLine(majorityBaseline, "the test");
	const overlap = `${formatCount(testTextsAlsoInTraining)} of ${formatCount(texts.test)} test texts also occur in training`;
	const weights = `kept the weights after epoch ${kept.epoch} (${kept.reason === "best" ? "best on validation" : "the last"})`;
	const early = stopped === "early" ? ["stopped early: validation did not improve"] : [];
	const counts = Object.entries(refused).map(([reason, count]) => `${reason} ${formatCount(count)}`);
	const refusals = counts.length > 0 ? [`messages refused: ${counts.join(", ")}`] : [];
	return [baseline, ...(testTextsAlsoInTraining > 0 ? [overlap] : []), weights, ...early, ...refusals];
}

function secondsLine({ total, ...phases }: RunResult["seconds"]): string {
	const parts = Object.entries(phases).map(([name, seconds]) => `${name} ${formatSeconds(seconds)}`);
	return `time      ${formatSeconds(total)}: ${parts.join(", ")}`;
}

/** Returns a relative path if the folder is inside the current one. */
function shortPath(folder: string): string {
	const path = relative(process.cwd(), folder);
	return path.startsWith("..") || isAbsolute(path) ? folder : path || ".";
}
