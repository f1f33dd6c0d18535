import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { type Metric, scoreOf } from "../metrics/best-score.ts";
import { fingerprintRun } from "./fingerprint-run.ts";
import type { LocalRun } from "./local-runs.ts";
import { readMetrics, readRunResult } from "./result-files.ts";
import { resultScore } from "./result-scores.ts";
import { CONFIG_FILE, isFinishedRun, readRunConfig } from "./run-folder.ts";
import { isInUse } from "./run-lock.ts";

/** Folders that are searched: the given one, those in it, and those in these, which may be trials of a sweep. */
const MOST_LEVELS = 2;

/** Runs that were listed before, by their folders. */
export type KnownRuns = Map<string, { readonly fingerprint: string; readonly run: LocalRun }>;

/**
 * Lists the runs in a folder, the newest one last. Folders without a run are left out.
 * @param known keeps the runs for the next call, which reads only the files that have changed
 * @throws TailtuneError "not-found" if the folder doesn't exist
 */
export async function listLocalRuns(folder: string, known: KnownRuns = new Map()): Promise<LocalRun[]> {
	const paths = await findLocalRuns(folder);
	for (const name of known.keys()) if (!paths.has(name)) known.delete(name);
	const runs = await Promise.all([...paths].map(([name, path]) => describeChangedRun(path, name, known)));
	return runs.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}

async function describeChangedRun(path: string, name: string, known: KnownRuns): Promise<LocalRun> {
	// Before the files are read: if one is replaced meanwhile, the next fingerprint differs.
	const fingerprint = await fingerprintRun(path);
	const before = known.get(name);
	if (before?.fingerprint === fingerprint && before.run.state !== "damaged") return before.run;
	const run = await describeRun(path, name);
	known.set(name, { fingerprint, run });
	return run;
}

/**
 * Finds the runs in a folder without reading them.
 * @returns the path of each run, by its name in `listLocalRuns`
 * @throws TailtuneError "not-found" if the folder doesn't exist
 */
export async function findLocalRuns(folder: string): Promise<Map<string, string>> {
	const paths = await listRunFolders(folder, MOST_LEVELS).catch((cause: unknown) => {
		if (systemCodeOf(cause) === undefined) throw cause;
		const found = systemCodeOf(cause) === "ENOTDIR" ? "found a file" : "no such folder";
		throw new TailtuneError("not-found", `${folder}: ${found}; expected a folder with runs`, { cause });
	});
	return new Map(paths.map((path) => [relative(folder, path) || path, path]));
}

/** Lists the folders that have the settings of a run. */
async function listRunFolders(folder: string, levels: number): Promise<string[]> {
	const entries = await readdir(folder, { withFileTypes: true });
	if (entries.some((entry) => entry.isFile() && entry.name === CONFIG_FILE)) return [folder];
	if (levels === 0) return [];
	const inner = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
	return (await Promise.all(inner.map((path) => listRunFolders(path, levels - 1).catch(() => [])))).flat();
}

/** Describes a run. If its files can't be read, its state is "damaged". */
async function describeRun(path: string, folder: string): Promise<LocalRun> {
	const startedAt = (await stat(join(path, CONFIG_FILE))).mtime.toISOString();
	const unknown = {
		folder,
		startedAt,
		model: null,
		data: null,
		metric: null,
		validation: null,
		epoch: null,
		seconds: null,
	};
	try {
		const config = await readRunConfig(path);
		const { name, model, metric = null } = config;
		const known = { folder, startedAt, ...(name !== undefined && { name }), model, data: dataOf(config), metric };
		return { ...known, ...(await readProgress(path, metric)) };
	} catch (error) {
		if (!(error instanceof TailtuneError)) throw error;
		return { ...unknown, state: "damaged", problem: error.message };
	}
}

function dataOf({ data, train }: TrainConfig): string | null {
	return data ?? train ?? null;
}

/** Reads the result of a finished run, otherwise its last evaluation after an epoch. */
async function readProgress(path: string, metric: Metric | null) {
	if (await isFinishedRun(path)) {
		const result = await readRunResult(path);
		const { kept, seconds } = result;
		const validation = resultScore(kept.metric, result, "validation");
		return { state: "finished" as const, metric: kept.metric, validation, epoch: kept.epoch, seconds: seconds.total };
	}
	const last = (await readMetrics(path)).findLast(({ kind }) => kind === "epoch");
	return {
		state: isInUse(path) ? ("running" as const) : ("interrupted" as const),
		validation: last && metric ? scoreOf(metric, last.validation) : null,
		epoch: last?.epoch ?? 0,
		seconds: last?.seconds ?? null,
	};
}
