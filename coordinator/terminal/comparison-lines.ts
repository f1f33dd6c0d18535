import { printable } from "../../shared/printable.ts";
import type { RunComparison } from "../events/comparison-schema.ts";
import { formatCount, formatLoss, formatSeconds, formatShareWithInterval } from "../format.ts";
import { plainTable } from "./class-table.ts";

/** A p-value below this is called a difference, as is usual. */
const SIGNIFICANT = 0.05;

/** Formats a comparison of runs: settings that differ, scores, then each run against the first. */
export function comparisonLines({ settings, runs, pairs }: RunComparison): string[] {
	const names = runs.map(({ folder, name }) => printable(name ?? folder));
	const differing = settings.map(({ name, values }) => [name, ...values.map(formatValue)]);
	const scores = [
		["accuracy", ...runs.map(({ accuracy, intervals }) => formatShareWithInterval(accuracy, intervals.accuracy))],
		["macro F1", ...runs.map(({ macroF1, intervals }) => formatShareWithInterval(macroF1, intervals.macroF1))],
		["loss", ...runs.map(({ loss }) => formatLoss(loss))],
		["texts", ...runs.map(({ texts }) => formatCount(texts))],
		["time", ...runs.map(({ seconds }) => formatSeconds(seconds))],
		["per step", ...runs.map(({ stepMs }) => `${stepMs.toFixed(1)} ms`)],
	];
	return [
		...(differing.length > 0 ? plainTable(["setting", ...names], differing) : ["all settings are the same"]),
		"",
		...plainTable(["test", ...names], scores),
		"",
		...pairs.flatMap((pair, index) => pairLines(names[0] ?? "", names[index + 1] ?? "", pair)),
	];
}

function pairLines(first: string, second: string, pair: RunComparison["pairs"][number]): string[] {
	const { shared, bothRight, onlyFirst, onlySecond, bothWrong, pValue } = pair;
	const names = `${first} and ${second}`;
	if (shared === 0) return [`${names} have no test text in common`];
	const only = `only the first ${formatCount(onlyFirst)}, only the second ${formatCount(onlySecond)}`;
	const meaning = pValue < SIGNIFICANT ? "hardly by chance" : "may be chance";
	return [
		`${names}, on ${formatCount(shared)} test texts of both: both right ${formatCount(bothRight)}, ${only}, both wrong ${formatCount(bothWrong)}`,
		`the difference ${meaning}: p = ${pValue.toPrecision(2)} (exact McNemar test)`,
	];
}

function formatValue(value: unknown): string {
	if (value === null) return "–";
	return typeof value === "string" ? printable(value) : JSON.stringify(value);
}
