// Has Node run TypeScript as it is, by tsx: installs run no build. Import this before any TypeScript (`node --import=…`).
// tsx keeps what it compiled under a predictable name in the temporary folder, where another user could put code for us
// to run. So it is told, while it is loaded, that the temporary folder is a private one.
import { join } from "node:path";
import { debuglog } from "node:util";
import { cachePath, makePrivateFolder } from "./files/private-folder.mjs";

const log = debuglog("tailtune");

/** A private folder for compiled code; undefined if there is none. The one in XDG_RUNTIME_DIR is on a local disk. */
function compiledFolder() {
	const { XDG_RUNTIME_DIR: runtime } = process.env;
	for (const folder of [...(runtime ? [join(runtime, "tailtune")] : []), cachePath()]) {
		try {
			return makePrivateFolder(folder);
		} catch (error) {
			log("compiled code isn't kept: %s", error);
		}
	}
	return undefined;
}

/**
 * Sets a variable of the environment, or removes it.
 * @param {string} name
 * @param {string | undefined} value
 */
function setVariable(name, value) {
	if (value === undefined) delete process.env[name];
	else process.env[name] = value;
}

const folder = compiledFolder();
const { TMPDIR, TSX_DISABLE_CACHE } = process.env;
// Without such a folder nothing is kept, and nothing can be made below a file.
setVariable("TMPDIR", folder ?? process.execPath);
if (folder === undefined) setVariable("TSX_DISABLE_CACHE", "1");
try {
	const { register } = await import("tsx/esm/api");
	register();
	// With its first file tsx looks whether the file system tells upper from lower case, maybe in the temporary folder.
	await import("./errors.ts");
} finally {
	setVariable("TMPDIR", TMPDIR);
	setVariable("TSX_DISABLE_CACHE", TSX_DISABLE_CACHE);
}
