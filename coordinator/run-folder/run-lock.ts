import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, readFileSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { type LockedFile, lockFile } from "../../shared/files/lock-file.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";

const holderSchema = z.object({ pid: z.int(), host: z.string(), runs: z.array(z.string()).default([]) });
type Holder = z.infer<typeof holderSchema>;

/** Name of the file in a run folder that the process locks. */
export const LOCK_FILE = "run.lock";

/** A run folder that this process has locked. */
export interface RunLock {
	/** The run's id for workers. */
	readonly runId: string;
	/** The run's ids of earlier processes that died: workers may still serve them. */
	readonly abandoned: readonly string[];
	/** The reason why the folder can't be locked, on a system or a file system without locks. */
	readonly unlocked?: string;
	/** Unlocks the folder; a second call does nothing. */
	release(): Promise<void>;
}

/**
 * Locks a run folder, so that no two processes write to it. The system keeps the lock (flock) and releases it when the
 * process ends, even by kill -9. No process number or host name is compared, so a restarted container can lock its
 * folder at once. The file contains the holder for messages, and the run's ids for workers.
 * @throws TailtuneError "busy" that names the holder, "disk" if the file can't be written
 */
export async function lockRunFolder(folder: string): Promise<RunLock> {
	const path = join(folder, LOCK_FILE);
	const locked = lockFile(path);
	if (locked) return hold(path, locked);
	const holder = readHolder(path);
	const name = holder ? `process ${holder.pid} on ${holder.host}` : "another process";
	throw new TailtuneError("busy", `${folder}: in use by ${name}; wait until it ends, or stop it`);
}

function hold(path: string, { file, unlocked }: LockedFile): RunLock {
	const runId = randomUUID();
	const abandoned = readHolder(path)?.runs ?? [];
	let isHeld = true;
	const release = () => {
		if (!isHeld) return;
		isHeld = false;
		// Before unlocking: afterwards the file may belong to another process.
		rmSync(path, { force: true });
		closeSync(file);
	};
	const holder: Holder = { pid: process.pid, host: hostname(), runs: [...abandoned, runId] };
	try {
		const bytes = Buffer.from(JSON.stringify(holder));
		writeSync(file, bytes, 0, bytes.length, 0);
		ftruncateSync(file, bytes.length);
	} catch (error) {
		release();
		throw asDiskError(path, error);
	}
	return { runId, abandoned, release: async () => release(), ...(unlocked !== undefined && { unlocked }) };
}

/** The holder that the file names; undefined if it is empty or was cut by a crash. */
function readHolder(path: string): Holder | undefined {
	try {
		return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
	} catch {
		return undefined;
	}
}

/**
 * Returns whether the process that locked a run folder is running. A folder that was locked on another host counts as
 * in use. Nothing is locked meanwhile, so that a run can start.
 */
export function isInUse(folder: string): boolean {
	const holder = readHolder(join(folder, LOCK_FILE));
	if (!holder) return false;
	if (holder.host !== hostname()) return true;
	try {
		process.kill(holder.pid, 0);
		return true;
	} catch (error) {
		return systemCodeOf(error) === "EPERM";
	}
}
