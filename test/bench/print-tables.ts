import Table from "cli-table3";
import type { Table as BenchTable, Row } from "./bench.ts";

/** Formats a table: one column per named value, then aim and whether it is reached, with the notes below. */
export function formatTable({ title, rows }: BenchTable): string {
	const columns = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
	const hasAims = rows.some(({ aim }) => aim !== undefined);
	const head = ["figure", ...columns, ...(hasAims ? ["aim", "reached"] : [])];
	const table = new Table({ head, style: { head: [], border: [], compact: true } });
	for (const row of rows) {
		const cells = columns.map((name) => formatValue(row.values[name]));
		table.push([row.figure, ...cells, ...(hasAims ? [row.aim ?? "", reached(row)] : [])]);
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
