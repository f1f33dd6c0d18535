import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, readFileSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import { type LockedFile, lockFile } from "../../shared/files/lock-file.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";

const holderSchema = z.object({ pid: z.int(), host: z.string(), runs: z.array(z.string()).default([]) });
type Holder = z.infer<typeof holderSchema>;

/** Name of the file in a run folder that is locked. */
export const LOCK_FILE = "run.lock";

/** A run folder held by this process. */
export interface RunLock {
	/** What workers know the run by. */
	readonly runId: string;
	/** What they knew it by in processes that died: they may still wait for those. */
	readonly abandoned: readonly string[];
	/** Why other processes aren't kept out, on a system or a file system without locks. */
	readonly unlocked?: string;
	/** Gives the folder back; called again it does nothing. */
	release(): Promise<void>;
}

/**
 * Takes a run folder for this process, so that no two processes write to it. The system holds the lock (flock) and gives it
 * back when the process ends, even by kill -9: no process number or host name is compared, so a container that is started
 * again, under any name, takes its folder back at once. The file names the holder for messages, and the runs under which
 * workers know it.
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
		// While it is locked: afterwards it may be another process's.
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

/** Who wrote the file; undefined if it is empty, or was cut short by a crash. */
function readHolder(path: string): Holder | undefined {
	try {
		return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
	} catch {
		return undefined;
	}
}
