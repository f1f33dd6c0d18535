import { printable } from "../../shared/printable.ts";
import { formatLocalTime, formatScore, formatSeconds, nameOfPath } from "../format.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import type { LocalRun } from "../run-folder/local-runs.ts";
import { plainTable } from "./class-table.ts";

/** Formats a table of the runs of a folder, one row per run. */
export function localRunsTable(runs: readonly LocalRun[]): string[] {
	if (runs.length === 0) return ["no runs"];
	const rows = runs.map((run) => {
		const { folder, name, startedAt, model, data, state, seconds } = run;
		const texts = [
			name === undefined ? folder : `${name} (${folder})`,
			nameOfPath(model ?? ""),
			nameOfPath(data ?? ""),
		];
		const rest = [state, scoreOfRun(run)];
		const time = seconds === null ? "" : formatSeconds(seconds);
		return [...[...texts, formatLocalTime(new Date(startedAt)), ...rest].map(printable), time];
	});
	const problems = runs.flatMap(({ problem }) => (problem === undefined ? [] : [`damaged: ${printable(problem)}`]));
	return [...plainTable(["run", "model", "data", "started", "state", "validation", "time"], rows), ...problems];
}

function scoreOfRun({ metric, validation, epoch }: LocalRun): string {
	if (metric === null || validation === null) return "";
	return `${METRIC_NAMES[metric]} ${formatScore(metric, validation)}, epoch ${epoch}`;
}
