import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { checkValue } from "../../shared/check-value.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { parseJsonText } from "../../shared/files/json-file.ts";
import { makeFolders } from "../../shared/files/make-folders.ts";
import { MOST_JSON_BYTES, pathExists, readRegularFile } from "../../shared/files/regular-file.ts";
import { asDiskError, removeTemporaryFiles, writeJson } from "../../shared/files/write-atomic.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { checkConfig } from "../../shared/settings/resolve-config.ts";
import { AUDIT_FILE, METRICS_FILE, RESULT_FILE } from "./result-files.ts";
import { LOCK_FILE, lockRunFolder, type RunLock } from "./run-lock.ts";

/** Folder of the runs without `--out`, inside the current folder. */
export const RUNS_FOLDER = "runs";

/** Name of the checkpoint's file; it is removed when the run is finished. */
export const CHECKPOINT_FILE = "checkpoint.safetensors";

/** Name of the file in a run folder with all settings of the run. */
export const CONFIG_FILE = "config.json";

const settingsSchema = z.record(z.string(), z.unknown());

/** A run's folder, locked by this process until `release`. */
export interface RunFolder extends RunLock {
	readonly path: string;
}

/** The folder of a new run. */
export interface NewRunFolder extends RunFolder {
	/** Restores the state before the run if there is no checkpoint to resume from. */
	undoUnlessBegun(): Promise<void>;
}

/**
 * Makes the folder of a new run, readable by this user only, or uses an empty folder, and saves the configuration in
 * it.
 * @throws TailtuneError "usage" if the folder isn't empty, "disk" if it can't be made or written
 */
export async function createRunFolder(config: TrainConfig): Promise<NewRunFolder> {
	const path = resolve(config.out ?? join(RUNS_FOLDER, [timestamp(), ...folderWords(config.name)].join("-")));
	const firstMade = await makeFolders(path, 0o700).catch((cause: unknown) => {
		throw asDiskError(`--out ${path}`, cause);
	});
	let lock: RunLock | undefined;
	const giveUp = async () => {
		await lock?.release();
		if (firstMade !== undefined) await removeEmptyFolders(path, firstMade);
	};
	try {
		lock = await lockRunFolder(path);
		const found = (await readdir(path)).find((name) => name !== LOCK_FILE);
		if (found !== undefined) {
			throw new TailtuneError("usage", `--out ${path}: the folder holds ${found} already; expected a new or empty one`);
		}
		await writeJson(join(path, CONFIG_FILE), config);
	} catch (error) {
		await giveUp();
		throw error;
	}
	const undoUnlessBegun = async () => {
		if (await pathExists(join(path, CHECKPOINT_FILE), "disk")) return;
		await removeBestExcept(path, undefined);
		for (const name of [CONFIG_FILE, METRICS_FILE, AUDIT_FILE]) await rm(join(path, name), { force: true });
		await giveUp();
	};
	return { path, ...lock, undoUnlessBegun };
}

/**
 * Opens the folder of an interrupted run, reads its configuration, and removes half-written files.
 * @throws TailtuneError "usage" if the run is finished, "busy" if it is in use, and as `readRunConfig`
 */
export async function reopenRunFolder(path: string): Promise<{ folder: RunFolder; config: TrainConfig }> {
	const config = await readRunConfig(path);
	const lock = await lockRunFolder(path);
	try {
		if (await isFinishedRun(path))
			throw new TailtuneError("usage", `--resume ${path}: the run is finished (${join(path, RESULT_FILE)} is there)`);
		await removeTemporaryFiles(path);
	} catch (error) {
		await lock.release();
		throw asDiskError(path, error);
	}
	return { folder: { path: resolve(path), ...lock }, config };
}

/** Reads the configuration of a run folder. */
export async function readRunConfig(path: string): Promise<TrainConfig> {
	const file = join(path, CONFIG_FILE);
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "data").catch((cause: TailtuneError) => {
		if (cause.code !== "not-found") throw cause;
		throw new TailtuneError("not-found", `${path}: no run here (${file} doesn't exist)`, { cause });
	});
	const settings = checkValue(settingsSchema, parseJsonText(bytes.toString("utf8"), file, "data"), file, "data");
	return checkConfig(settings, (key) => `${file}: ${key}`);
}

/** Removes the files that only an unfinished run needs. */
export async function removeCheckpoints(path: string): Promise<void> {
	await rm(join(path, CHECKPOINT_FILE), { force: true });
	await removeBestExcept(path, undefined);
}

/**
 * The file of a run's best weights, by the step that they are from. A checkpoint names this step, so the file must stay
 * until the checkpoint is replaced, even if later weights are better.
 */
export function bestFile(folder: string, step: number): string {
	return join(folder, `best-${step}.safetensors`);
}

/** Removes best weights of all steps except one; of all steps if none is given. */
export async function removeBestExcept(folder: string, step: number | undefined): Promise<void> {
	for (const name of await readdir(folder)) {
		const [, found] = /^best-(\d+)\.safetensors$/.exec(name) ?? [];
		if (found !== undefined && Number(found) !== step) await rm(join(folder, name), { force: true });
	}
}

/**
 * Returns whether a folder has a finished run. The checkpoint is removed last: until then the run can be resumed, for
 * example to write the report.
 */
export async function isFinishedRun(path: string): Promise<boolean> {
	return (
		(await pathExists(join(path, RESULT_FILE), "disk")) && !(await pathExists(join(path, CHECKPOINT_FILE), "disk"))
	);
}

/** Removes folders from the innermost to the outermost; a folder that isn't empty stays. */
export async function removeEmptyFolders(inner: string, outer: string): Promise<void> {
	for (let folder = inner; folder.startsWith(outer); folder = dirname(folder)) {
		const isRemoved = await rmdir(folder).then(
			() => true,
			() => false,
		);
		if (!isRemoved) return;
	}
}

/** Returns the words of a name, for the name of a folder: only letters and digits of any script. */
export function folderWords(name = ""): string[] {
	return name.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

function timestamp(): string {
	return new Date().toISOString().slice(0, 19).replaceAll(":", "-").replace("T", "_");
}
