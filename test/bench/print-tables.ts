import Table from "cli-table3";
import type { Table as BenchTable, Row } from "./bench.ts";

/** A table as text: a column for each name that a row has a value of, then aim, whether it is reached, and notes. */
export function formatTable({ title, rows }: BenchTable): string {
	const columns = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
	const table = new Table({ head: ["figure", ...columns, "aim", "reached"], style: { head: [], border: [] } });
	for (const row of rows) {
		table.push([row.figure, ...columns.map((name) => formatValue(row.values[name])), row.aim ?? "", reached(row)]);
	}
	const notes = rows.filter(({ note }) => note !== undefined).map(({ figure, note }) => `  ${figure}: ${note}`);
	return [title, table.toString(), ...notes].join("\n");
}

function formatValue(value: number | string | undefined): string {
	if (typeof value !== "number") return value ?? "";
	return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function reached({ reached }: Row): string {
	return reached === undefined ? "" : reached ? "yes" : "no";
}
