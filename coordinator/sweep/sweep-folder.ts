import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { TailtuneError } from "../../shared/errors.ts";
import { makeFolders } from "../../shared/files/make-folders.ts";
import { MOST_JSON_BYTES, pathExists, readRegularFile } from "../../shared/files/regular-file.ts";
import { asDiskError, removeTemporaryFiles, writeJson } from "../../shared/files/write-atomic.ts";
import { type SweepState, sweepSchema } from "../events/sweep-schema.ts";
import { nameOfSetting } from "../events/sweep-settings.ts";
import { parseAs } from "../run-folder/result-files.ts";
import { folderWords, RUNS_FOLDER, removeEmptyFolders } from "../run-folder/run-folder.ts";
import { LOCK_FILE, lockRunFolder } from "../run-folder/run-lock.ts";
import { checkInputs } from "./check-inputs.ts";
import { planTrials } from "./plan-trials.ts";
import type { SweepDefinition } from "./sweep-definition.ts";

/** Name of the file in the folder of a sweep. */
export const SWEEP_FILE = "sweep.json";

/** The folder of a sweep, locked by this process until `close`. */
export interface SweepFolder {
	readonly path: string;
	/** The state in sweep.json. */
	readonly state: SweepState;
	/** Unlocks the folder. Without any run in it, it is removed. */
	close(): Promise<void>;
}

/**
 * Opens the folder of a sweep. If it has the same sweep, that one continues.
 * @param out default: a name made from the definition, so that the same command finds its folder again
 * @throws TailtuneError "usage" if the folder has anything else, "busy" if it is in use, "disk" if it can't be written;
 * for a new sweep, also as `checkInputs`
 */
export async function openSweepFolder(definition: SweepDefinition, out?: string): Promise<SweepFolder> {
	const path = resolve(out ?? join(RUNS_FOLDER, nameOf(definition)));
	if (!(await pathExists(join(path, SWEEP_FILE), "disk"))) await checkInputs(definition);
	const firstMade = await makeFolders(path, 0o700).catch((cause: unknown) => {
		throw asDiskError(`--out ${path}`, cause);
	});
	return lockSweepFolder(path, firstMade, async () => {
		if (await pathExists(join(path, SWEEP_FILE), "disk")) {
			const state = await readSweep(path);
			const { settings, varied, samples, halving, experiments, seeds, folds } = state;
			const found = { settings, varied, samples, halving, experiments, seeds, folds };
			if (isDeepStrictEqual(found, toJson(definition))) return state;
			throw new TailtuneError(
				"usage",
				`--out ${path}: the folder holds a sweep with other settings; expected a new one`,
			);
		}
		const found = (await readdir(path)).find((name) => name !== LOCK_FILE);
		if (found !== undefined)
			throw new TailtuneError("usage", `--out ${path}: the folder holds ${found} already; expected a new or empty one`);
		return newState(definition);
	});
}

/** Opens the folder of a sweep that was begun. @throws TailtuneError "not-found" or "data" if it has none, "busy" */
export async function reopenSweepFolder(path: string): Promise<SweepFolder> {
	await readSweep(path);
	return lockSweepFolder(resolve(path), undefined, () => readSweep(path));
}

/** Reads sweep.json. @throws TailtuneError "not-found" if it doesn't exist, "data" if it isn't valid */
export async function readSweep(path: string): Promise<SweepState> {
	const file = join(path, SWEEP_FILE);
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "data").catch((cause: TailtuneError) => {
		if (cause.code !== "not-found") throw cause;
		throw new TailtuneError("not-found", `${path}: no sweep here (${file} doesn't exist)`, { cause });
	});
	return parseAs(sweepSchema, bytes.toString("utf8"), file);
}

/** Writes sweep.json atomically. @throws TailtuneError "disk" */
export async function writeSweep(path: string, state: SweepState): Promise<void> {
	await writeJson(join(path, SWEEP_FILE), sweepSchema.parse(state));
}

async function lockSweepFolder(
	path: string,
	firstMade: string | undefined,
	readState: () => Promise<SweepState>,
): Promise<SweepFolder> {
	const undo = async () => {
		if (firstMade !== undefined) await removeEmptyFolders(path, firstMade);
	};
	const lock = await lockRunFolder(path).catch(async (error) => {
		await undo();
		throw error;
	});
	const close = async () => {
		const runs = (await readdir(path)).filter((name) => name !== LOCK_FILE && name !== SWEEP_FILE);
		if (runs.length === 0) await rm(join(path, SWEEP_FILE), { force: true });
		await lock.release();
		await undo();
	};
	try {
		await removeTemporaryFiles(path);
		return { path, state: await readState(), close };
	} catch (error) {
		await lock.release();
		await undo();
		throw error;
	}
}

function newState(definition: SweepDefinition): SweepState {
	return {
		startedAt: new Date().toISOString(),
		finishedAt: null,
		...definition,
		texts: null,
		metric: null,
		trials: planTrials(definition).map((trial) => ({
			...trial,
			...(definition.halving && { rung: 1 }),
			state: "waiting",
			score: null,
			seconds: null,
		})),
		ranking: [],
		best: null,
	};
}

/** For example "sweep-lr-trainable-1f0c9a7b". */
function nameOf(definition: SweepDefinition): string {
	const hash = createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 8);
	const keys = Object.keys(definition.varied).slice(0, 4).map(nameOfSetting);
	const name = folderWords(definition.settings.name as string | undefined);
	if (definition.experiments) keys.unshift(definition.experiments);
	return ["sweep", ...(name.length > 0 ? name : keys), hash].join("-");
}

/** Leaves out undefined values, as sweep.json does. */
function toJson(value: unknown): unknown {
	return JSON.parse(JSON.stringify(value));
}
