import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { hasEnded } from "../events/sweep-settings.ts";
import { readSweep, SWEEP_FILE } from "./sweep-folder.ts";

/** A sweep in a folder of runs. */
export interface LocalSweep {
	/** Name of its folder. */
	readonly name: string;
	/** Number of its trials, and of those that have ended; null if sweep.json can't be read. */
	readonly trials: number | null;
	readonly ended: number | null;
	/** Why sweep.json can't be read. */
	readonly problem?: string;
}

/**
 * Finds the sweeps in a folder. If the folder itself is a sweep, that is the only one.
 * @returns the path of each sweep, by its name; none if the folder can't be read
 */
export async function findSweeps(folder: string): Promise<Map<string, string>> {
	const isSweep = (path: string) => pathExists(join(path, SWEEP_FILE), "disk").catch(() => false);
	if (await isSweep(folder)) return new Map([[basename(resolve(folder)), folder]]);
	const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
	const inner = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
	const found = await Promise.all(inner.map(async (path) => ((await isSweep(path)) ? [path] : [])));
	return new Map(found.flat().map((path) => [basename(path), path]));
}

/** Lists the sweeps in a folder. A sweep with a damaged file is listed with the problem. */
export async function listSweeps(folder: string): Promise<LocalSweep[]> {
	return Promise.all([...(await findSweeps(folder))].map(([name, path]) => describeSweep(name, path)));
}

async function describeSweep(name: string, path: string): Promise<LocalSweep> {
	try {
		const { trials } = await readSweep(path);
		const ended = trials.filter(hasEnded).length;
		return { name, trials: trials.length, ended };
	} catch (error) {
		if (!(error instanceof TailtuneError)) throw error;
		return { name, trials: null, ended: null, problem: error.message };
	}
}
