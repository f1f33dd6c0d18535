import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";

const holderSchema = z.object({ pid: z.int(), host: z.string(), runs: z.array(z.string()).default([]) });
type Holder = z.infer<typeof holderSchema>;
const WRITTEN_BY_THEN_MS = 50;

/**
 * Takes a run folder for this process, so that no two processes write to it. A lock left by a process that died on
 * this host is taken over at once; on another host nobody can tell, so it is refused.
 * The lock names the run under which its holder is known to workers.
 * @throws TailtuneError "busy" that names the process, "disk" where the lock can't be written
 */
export async function lockRunFolder(folder: string): Promise<RunLock> {
	const file = join(folder, "run.lock");
	const runId = randomUUID();
	let abandoned: readonly string[] = [];
	for (;;) {
		const holder: Holder = { pid: process.pid, host: hostname(), runs: [...abandoned, runId] };
		try {
			await writeFile(file, JSON.stringify(holder), { flag: "wx" });
			return { runId, abandoned, release: once(() => rm(file, { force: true })) };
		} catch (error) {
			if (systemCodeOf(error) !== "EEXIST") throw asDiskError(file, error);
			abandoned = [...abandoned, ...(await removeStaleLock(file, folder))];
		}
	}
}

/** A run folder held by this process. */
export interface RunLock {
	/** What workers know the run by. */
	readonly runId: string;
	/** What they knew it by in processes that died: they may still wait for those. */
	readonly abandoned: readonly string[];
	/** Gives the folder back; called again it does nothing. */
	release(): Promise<void>;
}

// By then the lock may be another process's.
function once(release: () => Promise<void>): () => Promise<void> {
	let released: Promise<void> | undefined;
	return () => {
		released ??= release();
		return released;
	};
}

/** The runs of the one that left it. */
async function removeStaleLock(file: string, folder: string): Promise<readonly string[]> {
	const holder = (await readHolder(file)) ?? (await sleep(WRITTEN_BY_THEN_MS).then(() => readHolder(file)));
	if (holder && (holder.host !== hostname() || isAlive(holder.pid))) {
		throw new TailtuneError(
			"busy",
			`${folder}: in use by process ${holder.pid} on ${holder.host}; wait for it, or remove ${file} if it is gone`,
		);
	}
	await rm(file, { force: true });
	return holder?.runs ?? [];
}

// A lock cut short by a crash says nothing and counts as stale, once its process has had the time to write it.
async function readHolder(file: string): Promise<Holder | undefined> {
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
