import { constants } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";

/** Files of a model folder that are read. */
const READ = /\.(json|safetensors)$/;

/** What the names of copies begin with; then comes the process that they are of. */
const OWN = "tailtune-serve-";

/** Removes the copies of processes that were killed. */
async function removeOrphans(): Promise<void> {
	for (const name of await readdir(tmpdir())) {
		const [, pid] = name.startsWith(OWN) ? (/^(\d+)-/.exec(name.slice(OWN.length)) ?? []) : [];
		if (pid !== undefined && !isAlive(Number(pid))) await rm(join(tmpdir(), name), { recursive: true, force: true });
	}
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return systemCodeOf(error) === "EPERM";
	}
}

/** What tells one state of a model folder from another: names, sizes and times. Undefined while there is no folder. */
export async function modelFingerprint(run: string): Promise<string | undefined> {
	const folder = join(run, "model");
	try {
		const names = (await readdir(folder)).filter((name) => READ.test(name)).sort();
		const files = names.map(async (name) => {
			const { size, mtimeMs, ino } = await stat(join(folder, name));
			return `${name} ${size} ${mtimeMs} ${ino}`;
		});
		return (await Promise.all(files)).join("\n");
	} catch (error) {
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
	await removeOrphans();
	const before = await modelFingerprint(run);
	const own = await mkdtemp(join(tmpdir(), `${OWN}${process.pid}-`));
	const remove = () => rm(own, { recursive: true, force: true });
	const from = join(run, "model");
	const to = join(own, "model");
	try {
		await mkdir(to);
		for (const name of (await readdir(from)).filter((file) => READ.test(file)))
			await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
		if (before !== (await modelFingerprint(run))) throw new TailtuneError("busy", `${from}: is being written to`);
		return { run: own, remove };
	} catch (error) {
		await remove();
		if (error instanceof TailtuneError) throw error;
		if (systemCodeOf(error) === "ENOENT")
			throw new TailtuneError("not-found", `${from}: no finished model here`, { cause: error });
		throw asDiskError(own, error);
	}
}
