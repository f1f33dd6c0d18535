import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TailtuneError } from "../errors.ts";
import { tryFlock } from "./flock.ts";
import { asDiskError } from "./write-atomic.ts";

/** Maximum number of retries when a locked file was already removed by its last holder. */
const MAX_TRIES = 100;

/** An open file that is locked for this process. */
export interface LockedFile {
	/** The file descriptor: closing it releases the lock. */
	readonly file: number;
	/** Reason why the file isn't locked, on a system or a file system without locks. */
	readonly unlocked?: string;
}

/**
 * Opens a file for reading and writing, created if needed, and takes the system's lock on it (flock), which ends with
 * the process, even after kill -9. A holder that removes or renames the file must do so before closing it.
 * @returns undefined if another process, or another call in this process, holds the lock
 * @throws TailtuneError "disk" if the path can't be written or isn't a file
 */
export function lockFile(path: string): LockedFile | undefined {
	for (let tries = 0; tries < MAX_TRIES; tries++) {
		const file = open(path);
		const outcome = tryFlock(file);
		if (outcome !== "busy" && isStillAt(path, file)) return { file, ...(typeof outcome === "object" && outcome) };
		closeSync(file);
		if (outcome === "busy") return undefined;
	}
	return undefined;
}

/** How a lock is awaited. */
export interface LockWait {
	/** Ends the wait. */
	readonly signal: AbortSignal;
	/** Time between two attempts, in milliseconds. */
	readonly pollMs: number;
	/** Called once, if another holder must be awaited. */
	readonly onBusy?: (() => void) | undefined;
}

/**
 * Locks a file as `lockFile`, and waits for as long as someone else holds the lock.
 * @throws TailtuneError "disk" as `lockFile`; the signal's reason if it aborts
 */
export async function waitForLock(path: string, { signal, pollMs, onBusy }: LockWait): Promise<LockedFile> {
	for (let tries = 0; ; tries++) {
		const locked = lockFile(path);
		if (locked) return locked;
		if (tries === 0) onBusy?.();
		await sleep(pollMs, undefined, { signal });
	}
}

function open(path: string): number {
	let file: number;
	try {
		file = openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NONBLOCK ?? 0));
	} catch (error) {
		throw asDiskError(path, error);
	}
	if (fstatSync(file).isFile()) return file;
	closeSync(file);
	throw new TailtuneError("disk", `${path}: found a pipe or a device, expected a file`);
}

/** Whether the open file still has this path: the last holder may have removed or renamed it meanwhile. */
function isStillAt(path: string, file: number): boolean {
	const found = statSync(path, { bigint: true, throwIfNoEntry: false });
	const own = fstatSync(file, { bigint: true });
	return found !== undefined && found.ino === own.ino && found.dev === own.dev;
}
