import { getSystemErrorName } from "node:util";
import { koffi } from "../koffi.ts";

/** Of <sys/file.h>, the same on Linux, macOS and the BSDs: exclusive, and without waiting. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** locked; busy: another process (or another opening of the file in this one) holds it; or why there are no locks here. */
export type FlockOutcome = "locked" | "busy" | { readonly unlocked: string };

/**
 * Takes the system's lock on an open file, without waiting. It lasts until the file is closed or the process ends in any
 * way; processes started meanwhile don't share it, since Node opens files for itself alone. On NFS the server keeps it.
 */
export function tryFlock(file: number): FlockOutcome {
	const flock = findFlock();
	if (!koffi || !flock) return { unlocked: "this system has no flock, or koffi isn't there to call it" };
	if (flock(file, LOCK_EX | LOCK_NB) === 0) return "locked";
	const errno = koffi.errno();
	if (errno === koffi.os.errno.EWOULDBLOCK || errno === koffi.os.errno.EAGAIN) return "busy";
	return { unlocked: `flock: ${getSystemErrorName(-errno)}` };
}

function findFlock(): ((file: number, operation: number) => number) | undefined {
	try {
		return koffi?.load(null).func("int flock(int file, int operation)");
	} catch {
		return undefined;
	}
}
