import { constants } from "node:fs";
import { copyFile, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { makeCopyFolder } from "./copy-folder.ts";

/** Files of a model folder that are read. */
const READ = /\.(json|safetensors)$/;

/** What tells one state of a model folder from another: names, sizes and times. Undefined while there is no folder. */
export async function modelFingerprint(run: string): Promise<string | undefined> {
	const folder = join(run, "model");
	try {
		const names = (await readdir(folder)).filter((name) => READ.test(name)).sort();
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
		if (systemCodeOf(error) === "ENOENT") return undefined; // gone between two looks: looked at again
		throw new TailtuneError("not-found", `${folder}: can't be read: ${(error as Error).message}`, { cause: error });
	}
}

/** A run folder of our own with a copy of a model in it. */
export interface StagedModel {
	readonly run: string;
	remove(): Promise<void>;
}

/**
 * Copies the model of a run. Engines read weights in the file where they lie: whoever wrote to it would change, or crash,
 * what is being served. File systems that can share the bytes.
 * @throws TailtuneError "disk" where there is no room for it, "not-found" where there is no model, "busy" where it changes
 */
export async function stageModel(run: string): Promise<StagedModel> {
	const before = await modelFingerprint(run);
	const from = join(run, "model");
	const own = await makeCopyFolder().catch((error) => Promise.reject(asDiskError(`a copy of ${from}`, error)));
	const to = join(own.path, "model");
	try {
		await mkdir(to);
		for (const name of (await readdir(from)).filter((file) => READ.test(file)))
			await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
		if (before !== (await modelFingerprint(run))) throw new TailtuneError("busy", `${from}: is being written to`);
		return { run: own.path, remove: own.remove };
	} catch (error) {
		await own.remove();
		if (error instanceof TailtuneError) throw error;
		if (systemCodeOf(error) === "ENOENT")
			throw new TailtuneError("not-found", `${from}: no finished model here`, { cause: error });
		throw asDiskError(own.path, error);
	}
}
