import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";

const holderSchema = z.object({ pid: z.int(), host: z.string() });
const WRITTEN_BY_THEN_MS = 50;

/**
 * Takes a run folder for this process, so that no two processes write to it. A lock left by a process that died on
 * this host is taken over at once; on another host nobody can tell, so it is refused.
 * @returns a function that gives the folder back; what it does when called again is nothing
 * @throws TailtuneError "busy" that names the process, "disk" where the lock can't be written
 */
export async function lockRunFolder(folder: string): Promise<() => Promise<void>> {
	const file = join(folder, "run.lock");
	for (;;) {
		try {
			await writeFile(file, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: "wx" });
			return once(() => rm(file, { force: true }));
		} catch (error) {
			if (systemCodeOf(error) !== "EEXIST") throw asDiskError(file, error);
			await removeStaleLock(file, folder);
		}
	}
}

// By then the lock may be another process's.
function once(release: () => Promise<void>): () => Promise<void> {
	let released: Promise<void> | undefined;
	return () => {
		released ??= release();
		return released;
	};
}

async function removeStaleLock(file: string, folder: string): Promise<void> {
	const holder = (await readHolder(file)) ?? (await sleep(WRITTEN_BY_THEN_MS).then(() => readHolder(file)));
	if (holder && (holder.host !== hostname() || isAlive(holder.pid))) {
		throw new TailtuneError(
			"busy",
			`${folder}: in use by process ${holder.pid} on ${holder.host}; wait for it, or remove ${file} if it is gone`,
		);
	}
	await rm(file, { force: true });
}

// A lock cut short by a crash says nothing and counts as stale, once its process has had the time to write it.
async function readHolder(file: string): Promise<z.infer<typeof holderSchema> | undefined> {
	try {
		return holderSchema.parse(JSON.parse(await readFile(file, "utf8")));
	} catch {
		return undefined;
	}
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return systemCodeOf(error) === "EPERM";
	}
}
