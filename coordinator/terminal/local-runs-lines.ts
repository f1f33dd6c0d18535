import { basename } from "node:path";
import { printable } from "../../shared/printable.ts";
import { formatScore, formatSeconds } from "../format.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import type { LocalRun } from "../run-folder/local-runs.ts";
import { plainTable } from "./class-table.ts";

/** Formats a table of the runs of a folder, one row per run. */
export function localRunsTable(runs: readonly LocalRun[]): string[] {
	if (runs.length === 0) return ["no runs"];
	const rows = runs.map((run) => {
		const { folder, name, startedAt, model, data, state, seconds } = run;
		const texts = [name === undefined ? folder : `${name} (${folder})`, baseName(model), baseName(data)];
		const rest = [state, scoreOfRun(run)];
		const time = seconds === null ? "" : formatSeconds(seconds);
		return [...[...texts, formatLocalTime(startedAt), ...rest].map(printable), time];
	});
	const problems = runs.flatMap(({ problem }) => (problem === undefined ? [] : [`damaged: ${printable(problem)}`]));
	return [...plainTable(["run", "model", "data", "started", "state", "validation", "time"], rows), ...problems];
}

function scoreOfRun({ metric, validation, epoch }: LocalRun): string {
	if (metric === null || validation === null) return "";
	return `${METRIC_NAMES[metric]} ${formatScore(metric, validation)}, epoch ${epoch}`;
}

/** Shortens a path to its last part; a hub name stays. */
function baseName(path: string | null): string {
	if (path === null) return "";
	return path.startsWith("/") || path.includes("\\") ? basename(path) : path;
}

/** A time in the zone of this machine, as in "2026-03-14 15:09". */
function formatLocalTime(iso: string): string {
	const date = new Date(iso);
	return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16).replace("T", " ");
}
