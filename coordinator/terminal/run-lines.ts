import Table from "cli-table3";
import type { Assignment, RunView } from "../../shared/bus/bus.ts";
import type { WorkerInfo } from "../../shared/messages.ts";
import { printable } from "../../shared/printable.ts";
import {
	formatCount,
	formatEta,
	formatLocalTime,
	formatLoss,
	formatPercent,
	formatRate,
	nameOfPath,
} from "../format.ts";

/** Formats a table of runs, one row per run. */
export function runsTable(runs: readonly RunView[]): string[] {
	if (runs.length === 0) return ["no runs"];
	const rows = runs.map((run) => {
		const { name = "", model = "", data = "", startedAtMs } = run.progress ?? {};
		const texts = [run.spec.runId, name, nameOfPath(model), nameOfPath(data), formatStart(startedAtMs)];
		return [...texts, tunedOf(run), String(run.spec.shards), stateOf(run), scoreOf(run)];
	});
	return table(["run", "name", "model", "data", "started", "trainable", "shards", "progress", "validation"], rows);
}

/** Formats the details of a run, one line per fact. */
export function runDetails(run: RunView): string[] {
	const { spec, assignments, progress } = run;
	const facts: [string, string][] = [
		["run", spec.runId],
		...(progress?.name ? [["name", progress.name] as [string, string]] : []),
		["model", progress ? `${progress.model}, weights ${spec.modelHash}` : spec.modelHash],
		["data", progress?.data ?? "unknown"],
		["started", formatStart(progress?.startedAtMs)],
		["trainable", `${tunedOf(run)}, ${spec.tail?.classes ?? 0} classes`],
		["shards", String(spec.shards)],
		...countByWorker(assignments).map(([workerId, count]): [string, string] => {
			const state = progress?.workers.find((worker) => worker.workerId === workerId)?.state;
			return ["", `${count} on ${workerId}${state === undefined ? "" : `, ${state}`}`];
		}),
		["progress", stateOf(run)],
		...(progress?.notices ?? []).map((notice): [string, string] => ["notice", notice]),
		["validation", scoreOf(run)],
		["address", spec.tensorsAddress],
		["folder", progress ? `${progress.folder} on ${progress.host}` : "unknown"],
	];
	return facts.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}`);
}

/** Formats a table of workers and the number of their shards in each run, one row per worker. */
export function workersTable(workers: readonly (WorkerInfo & { readonly shards: readonly Assignment[] })[]): string[] {
	if (workers.length === 0) return ["no workers"];
	const rows = workers.map(({ workerId, trunkEngine, tailEngine, version, device, threads, shards }) => {
		const engine = trunkEngine === tailEngine ? trunkEngine : `${trunkEngine}, ${tailEngine}`;
		const runs = [...new Set(shards.map(({ runId }) => runId))];
		const held = runs.map((runId) => `${shards.filter((shard) => shard.runId === runId).length} of ${runId}`);
		return [workerId, engine, version, device, String(threads), held.join(", ")];
	});
	return table(["worker", "engine", "version", "device", "threads", "shards"], rows);
}

function tunedOf({ spec }: RunView): string {
	return (spec.tail?.trainable ?? "").replace("TRAINABLE_", "").toLowerCase().replaceAll("_", "-");
}

function stateOf({ progress }: RunView): string {
	if (!progress) return "no heartbeat from the coordinator";
	const { phase, done, total, unit, epoch, epochs, notices, secondsLeft } = progress;
	const count = total > 0 ? ` ${formatCount(done)} of ${formatCount(total)} ${unit}` : "";
	const speed = secondsLeft > 0 ? ` (${formatRate((total - done) / secondsLeft)}/s, ${formatEta(secondsLeft)})` : "";
	return `${phase}${count}${speed}, epoch ${epoch} of ${epochs}${notices.length > 0 ? ", waiting" : ""}`;
}

function formatStart(startedAtMs: number | undefined): string {
	return startedAtMs === undefined ? "" : formatLocalTime(new Date(startedAtMs));
}

function scoreOf({ progress }: RunView): string {
	const score = progress?.validation;
	return score ? `accuracy ${formatPercent(score.accuracy)}, loss ${formatLoss(score.loss)}` : "";
}

function countByWorker(assignments: readonly Assignment[]): [workerId: string, count: number][] {
	const ids = [...new Set(assignments.map(({ workerId }) => workerId))].sort();
	return ids.map((id) => [id, assignments.filter(({ workerId }) => workerId === id).length]);
}

function table(head: string[], rows: readonly string[][]): string[] {
	const lines = new Table({ head, style: { head: [], border: [], compact: true } });
	lines.push(...rows.map((row) => row.map(printable)));
	return lines.toString().split("\n");
}
