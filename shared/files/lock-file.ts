import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { TailtuneError } from "../errors.ts";
import { tryFlock } from "./flock.ts";
import { asDiskError } from "./write-atomic.ts";

/** The most times that a locked file turns out to have been removed by its last holder: each time somebody made progress. */
const MAX_TRIES = 100;

/** An open file that is locked for this process. */
export interface LockedFile {
	/** The file descriptor: closing it gives the lock back. */
	readonly file: number;
	/** Why the file isn't locked, on a system or a file system without locks. */
	readonly unlocked?: string;
}

/**
 * Opens a file to read and write it, made empty if it doesn't exist, and takes the system's lock on it (flock), which ends
 * with the process, even by kill -9. A holder that removes or renames the file does so before it closes it.
 * @returns undefined if another process, or another call in this one, holds the lock
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

/** Whether the path still names the open file: the last holder may have removed or renamed it meanwhile. */
function isStillAt(path: string, file: number): boolean {
	const found = statSync(path, { bigint: true, throwIfNoEntry: false });
	const own = fstatSync(file, { bigint: true });
	return found !== undefined && found.ino === own.ino && found.dev === own.dev;
}
