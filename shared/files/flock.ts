import { getSystemErrorName } from "node:util";
import { koffi } from "../koffi.ts";

/** Flags of <sys/file.h>, the same on Linux, macOS and the BSDs: exclusive, and without waiting. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * locked; busy: another process, or another descriptor in this one, holds it; otherwise the reason why locks don't
 * work.
 */
export type FlockOutcome = "locked" | "busy" | { readonly unlocked: string };

/**
 * Takes the system's lock on an open file, without waiting. It lasts until the file is closed or the process ends.
 * Child processes don't inherit it, because Node opens files with O_CLOEXEC. On NFS the server manages it.
 */
export function tryFlock(file: number): FlockOutcome {
	const flock = findFlock();
	if (!koffi || !flock) return { unlocked: "this system has no flock, or koffi isn't installed to call it" };
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
