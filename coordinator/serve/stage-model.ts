import { constants } from "node:fs";
import { copyFile, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { makeCopyFolder } from "./copy-folder.ts";

/** Files of a model folder that are used. */
const MODEL_FILE = /\.(json|safetensors)$/;

/** Identifies the state of a run's model folder by names, sizes and times. Undefined if there is no folder. */
export async function fingerprintModel(run: string): Promise<string | undefined> {
	const folder = join(run, "model");
	try {
		const names = (await readdir(folder)).filter((name) => MODEL_FILE.test(name)).sort();
		const files = names.map(async (name) => {
			const path = join(folder, name);
			const stats = await stat(path);
			if (!stats.isFile())
				throw new TailtuneError("model", `${path}: found a pipe, a device or a folder, expected a file`);
			const { size, mtimeMs, ino } = stats;
			return `${name} ${size} ${mtimeMs} ${ino}`;
		});
		return (await Promise.all(files)).join("\n");
	} catch (error) {
		if (error instanceof TailtuneError) throw error;
		if (systemCodeOf(error) === "ENOENT") return undefined; // removed in the meantime; the next poll checks again
		throw new TailtuneError("not-found", `${folder}: can't be read: ${(error as Error).message}`, { cause: error });
	}
}

/** A run folder that contains only a copy of a model. */
export interface StagedModel {
	readonly run: string;
	remove(): Promise<void>;
}

/**
 * Copies the model of a run, because engines map the weights file: writing to it would change or crash the served
 * model. File systems that support it share the bytes.
 * @throws TailtuneError "disk" if there is no space, "not-found" if there is no model, "busy" if it is being changed
 */
export async function stageModel(run: string): Promise<StagedModel> {
	const before = await fingerprintModel(run);
	const from = join(run, "model");
	const own = await makeCopyFolder().catch((error) => Promise.reject(asDiskError(`a copy of ${from}`, error)));
	const to = join(own.path, "model");
	try {
		await mkdir(to);
		for (const name of (await readdir(from)).filter((file) => MODEL_FILE.test(file)))
			await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
		if (before !== (await fingerprintModel(run))) throw new TailtuneError("busy", `${from}: is being written`);
		return { run: own.path, remove: own.remove };
	} catch (error) {
		await own.remove();
		if (error instanceof TailtuneError) throw error;
		if (systemCodeOf(error) === "ENOENT")
			throw new TailtuneError("not-found", `${from}: no finished model here`, { cause: error });
		throw asDiskError(own.path, error);
	}
}
