// Has Node run TypeScript as it is, by tsx: installs run no build. Import this before any TypeScript (`node --import=…`).
// tsx keeps compiled code under a predictable name in the temporary folder, where another user could put code for us to
// run. So a private folder takes the temporary folder's place while tsx is loaded, for tsx alone: threads share the
// environment, in which TMPDIR would change it for all.
import Module from "node:module";
import os from "node:os";
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

const folder = compiledFolder();
if (folder === undefined) process.env.TSX_DISABLE_CACHE = "1";
// Below a file, nothing can be made or found.
const temporary = folder ?? process.execPath;
const { tmpdir } = os;
const { register: registerHooks } = Module;
Object.assign(os, { tmpdir: () => temporary });
Object.assign(Module, {
	/** @param {Parameters<typeof registerHooks>} args */
	register: (...args) => {
		// Node before 22.22 has tsx compile in a thread of its own.
		registerHooks("./temporary-folder-hook.mjs", { parentURL: import.meta.url, data: temporary });
		registerHooks(...args);
	},
});
try {
	const { register } = await import("tsx/esm/api");
	register();
	// With its first file tsx looks whether the file system tells upper from lower case, maybe in the temporary folder.
	await import("./errors.ts");
} finally {
	Object.assign(os, { tmpdir });
	Object.assign(Module, { register: registerHooks });
}
