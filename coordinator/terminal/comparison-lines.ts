import Table from "cli-table3";
import { printable } from "../../shared/printable.ts";
import type { RunComparison } from "../events/comparison-schema.ts";
import { formatCount, formatLoss, formatPercent, formatSeconds } from "../format.ts";

/** A p-value below this is called a difference, as is usual. */
const SIGNIFICANT = 0.05;

/** Formats a comparison of runs: settings that differ, scores, then each run against the first. */
export function comparisonLines({ settings, runs, pairs }: RunComparison): string[] {
	const names = runs.map(({ folder }) => folder);
	const differing = settings.map(({ name, values }) => [name, ...values.map(formatValue)]);
	const scores = [
		["accuracy", ...runs.map(({ accuracy }) => formatPercent(accuracy))],
		["loss", ...runs.map(({ loss }) => formatLoss(loss))],
		["texts", ...runs.map(({ texts }) => formatCount(texts))],
		["time", ...runs.map(({ seconds }) => formatSeconds(seconds))],
		["per step", ...runs.map(({ stepMs }) => `${stepMs.toFixed(1)} ms`)],
	];
	return [
		...(differing.length > 0 ? table(["setting", ...names], differing) : ["all settings are the same"]),
		"",
		...table(["test", ...names], scores),
		"",
		...pairs.flatMap((pair) => pairLines(names[0] ?? "", pair)),
	];
}

function pairLines(first: string, pair: RunComparison["pairs"][number]): string[] {
	const { folder, shared, bothRight, onlyFirst, onlySecond, bothWrong, pValue } = pair;
	const names = `${printable(first)} and ${printable(folder)}`;
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
	return typeof value === "string" ? value : JSON.stringify(value);
}

function table(head: readonly string[], rows: readonly string[][]): string[] {
	const colAligns = head.map((_, column) => (column === 0 ? "left" : "right"));
	const lines = new Table({ head: head.map(printable), colAligns, style: { head: [], border: [], compact: true } });
	lines.push(...rows.map((row) => row.map(printable)));
	return lines.toString().split("\n");
}
