// Folders that no other user can read or write. Plain JavaScript, because it is needed before TypeScript can be loaded.
import { chmodSync, lstatSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const OPEN_TO_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;
const WRITABLE_BY_ALL = 0o002;
const STICKY = 0o1000;

/**
 * Returns the path of the folder for everything that can be computed or downloaded again: `tailtune` in XDG_CACHE_HOME
 * or ~/.cache.
 * @param {NodeJS.ProcessEnv} env
 */
export function cachePath(env = process.env) {
	return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tailtune");
}

/**
 * Creates a folder that only this user can read and write (mode 0700), or checks an existing one: a user who can write
 * to it could make us run other code or delete other files. If others can only read it, its mode is changed to 0700.
 * Windows has no modes; there the folders of a user are already private.
 * @param {string} path
 * @returns {string} the path
 * @throws {Error} if it can't be created, or if it or a folder above it is a link or a file, belongs to another user,
 *   or can be written by others
 */
export function makePrivateFolder(path) {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	try {
		mkdirSync(path, { mode: 0o700 });
	} catch (error) {
		if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
	}
	const user = process.geteuid?.();
	const { mode, uid } = checkFolder(path, user);
	if (user === undefined) return path;
	if (uid !== user) throw new Error(`${path}: belongs to user ${uid}, expected ${user}`);
	if (mode & WRITABLE_BY_OTHERS) throw new Error(`${path}: other users may write to it, expected mode 0700`);
	if (mode & OPEN_TO_OTHERS) chmodSync(path, 0o700);
	for (let above = realpathSync(dirname(path)); ; above = dirname(above)) {
		checkFolder(above, user);
		if (above === dirname(above)) return path;
	}
}

/**
 * Checks owner and mode of a folder. Its owner, and users who can write to it if it has no sticky bit, can replace its
 * files.
 * @param {string} path
 * @param {number | undefined} user
 */
function checkFolder(path, user) {
	const found = lstatSync(path);
	if (!found.isDirectory()) throw new Error(`${path}: is a link or a file, expected a folder`);
	if (user === undefined) return found;
	if (found.uid !== user && found.uid !== 0 && found.uid !== unknownUser())
		throw new Error(`${path}: belongs to user ${found.uid}, expected ${user} or root`);
	if (found.mode & WRITABLE_BY_ALL && !(found.mode & STICKY))
		throw new Error(`${path}: all users may write to it, expected a folder of user ${user}`);
	return found;
}

/**
 * Returns the user id that a user namespace (a sandbox) shows for all users outside of it, the system's root included.
 */
function unknownUser() {
	try {
		const areAllUsersMapped = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
		return areAllUsersMapped ? undefined : Number(readFileSync("/proc/sys/kernel/overflowuid", "utf8"));
	} catch {
		return undefined; // not Linux
	}
}
