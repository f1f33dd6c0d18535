import { join } from "node:path";
import { printable } from "../../shared/printable.ts";
import { flagOf } from "../../shared/settings/resolve-config.ts";
import type { RunEvent } from "../events/schemas.ts";
import type { SweepState } from "../events/sweep-schema.ts";
import { listVariedKeys, nameOfSetting } from "../events/sweep-settings.ts";
import {
	formatEpochs,
	formatEta,
	formatPercent,
	formatScore,
	formatSeconds,
	formatSpread,
	shellWord,
} from "../format.ts";
import { areFirstClose } from "../metrics/are-first-close.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import { BOOK_EXPERIMENTS, BOOK_EXPERIMENTS_URL, type BookExperiment } from "../sweep/book-experiments.ts";
import { plainTable } from "./class-table.ts";
import type { Paint } from "./paint.ts";
import { shortPath } from "./tables.ts";

type Metric = NonNullable<SweepState["metric"]>;

/** Formats the end of a trial: its settings, its score, and the time that is left. */
export function trialLines(event: Extract<RunEvent, { event: "trial" }>): string[] {
	const { number, trials, values, seed, fold, state, score, metric, seconds, secondsLeft, epochs, error } = event;
	if (state === "begun" || state === "resumed") return [];
	const settings = [...Object.entries(values).map(([key, value]) => `${flagOf(key)} ${formatSetting(value)}`)];
	const facts = [
		`trial ${String(number).padStart(String(trials).length)} of ${trials}`,
		[...settings, `--seed ${seed}`, ...(fold === undefined ? [] : [`--fold ${fold}`])].join(" "),
		...(metric !== null && score !== null ? [`${METRIC_NAMES[metric]} ${formatScore(metric, score)}`] : []),
		...(epochs !== undefined ? [`after ${formatEpochs(epochs)}`] : []),
		...(seconds !== null ? [formatSeconds(seconds)] : []),
		...(error !== undefined ? [`failed: ${printable(error)}`] : []),
		...(secondsLeft !== null && secondsLeft > 0 ? [formatEta(secondsLeft)] : []),
	];
	return [facts.join("  ")];
}

/** Formats the ranking of a sweep, and the test scores of its best setting. */
export function sweepLines(folder: string, state: SweepState, paint: Paint): string[] {
	const { metric, best, trials } = state;
	if (!metric || !best) return [];
	const failed = trials.filter((trial) => trial.state === "failed").length;
	const path = shortPath(folder);
	return [
		"",
		...rankingTable(state, metric, paint),
		...(state.experiments === "book" ? describeBook() : []),
		...describeHalving(state),
		...describeSpread(state),
		...(failed > 0 ? [`${failed} of ${trials.length} trials failed; they are not in the table`] : []),
		...(areFirstClose(state.ranking)
			? ["the first two settings differ by less than one standard deviation: this may be chance"]
			: []),
		"",
		`test scores of the best setting: ${testScores(best.test)}`,
		"(other settings: not shown, because a setting chosen by test scores would look better than it is)",
		"",
		`report    ${printable(join(path, "report.html"))}`,
		`results   ${printable(path)}`,
		`classify  npx tailtune classify ${shellWord(join(path, best.folder))} "your text"`,
	];
}

/** Formats the settings, the best one first; those of the book with its accuracies. */
function rankingTable(state: SweepState, metric: Metric, paint: Paint): string[] {
	const { ranking, halving, experiments } = state;
	const keys = listVariedKeys(state);
	const isBook = experiments === "book";
	const names = [...(isBook ? ["row"] : []), ...keys.map(nameOfSetting)];
	const head = [
		...names,
		...(halving ? ["epochs"] : []),
		`${METRIC_NAMES[metric]} (validation)`,
		...(isBook ? ["the book's"] : []),
		"trials",
		"time",
	];
	const rows = ranking.map(({ values, trials: count, epochs, validation, seconds }, place) => {
		const book = isBook ? findExperiment(values) : undefined;
		const settings = keys.map((key) => (key in values ? formatSetting(values[key]) : "–"));
		const scores = [formatSpread(metric, validation), ...(isBook ? [book ? formatPercent(book.validation) : "–"] : [])];
		const row = isBook ? [String(book?.row ?? "–"), ...settings] : settings;
		const cells = [
			...row,
			...(halving ? [String(epochs ?? "–")] : []),
			...scores,
			String(count),
			formatSeconds(seconds),
		];
		return place === 0 ? cells.map((cell) => paint("bold", cell)) : cells;
	});
	return plainTable(head, rows);
}

/** Returns the experiment of the book with these values. Further values don't matter. */
function findExperiment(values: Readonly<Record<string, unknown>>): BookExperiment | undefined {
	const found = BOOK_EXPERIMENTS.filter(({ values: own }) =>
		Object.entries(own).every(([key, value]) => values[key] === value),
	);
	return found.toSorted((a, b) => Object.keys(b.values).length - Object.keys(a.values).length)[0];
}

function describeBook(): string[] {
	return [
		"rows and accuracies of the book: Sebastian Raschka, Build a Large Language Model (From Scratch), experiments to",
		`chapter 6: ${BOOK_EXPERIMENTS_URL}`,
		"the initial weights, the split and the order of the texts differ from the book's, so the figures do too",
	];
}

function describeHalving({ halving }: SweepState): string[] {
	if (halving === null) return [];
	const rungs = halving.rungs.map(({ epochs, settings }) => `${settings} up to ${formatEpochs(epochs)}`);
	return [`successive halving: ${rungs.join(", ")}; scores after different numbers of epochs can't be compared`];
}

function describeSpread({ seeds, folds, settings }: SweepState): string[] {
	const counts = [
		...(folds === null ? [] : [`${folds} folds`]),
		...(seeds.length > 1 ? [`${seeds.length} seeds`] : []),
	];
	if (counts.length === 0) return [];
	const isSplit = seeds.length > 1 && settings.train === undefined;
	const split = isSplit ? "; each seed also splits the data in another way" : "";
	return [`mean ± standard deviation over ${counts.join(" and ")}${split}`];
}

function testScores({ accuracy, macroF1, loss }: NonNullable<SweepState["best"]>["test"]): string {
	const parts = [
		`accuracy ${formatSpread("accuracy", accuracy)}`,
		`macro F1 ${formatSpread("macro-f1", macroF1)}`,
		`loss ${formatSpread("loss", loss)}`,
	];
	return parts.join(", ");
}

function formatSetting(value: unknown): string {
	return typeof value === "string" ? printable(value) : JSON.stringify(value);
}
