import { TailtuneError } from "../errors.ts";
import { cachePath, makePrivateFolder } from "./private-folder.mjs";

/**
 * The folder for everything that Tailtune can make or download again: `tailtune` in XDG_CACHE_HOME or ~/.cache. It is
 * made if it doesn't exist, and checked to be this user's alone: code and models are read from it.
 * @throws TailtuneError "disk" if there can be no such folder
 */
export function ownCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
	try {
		return makePrivateFolder(cachePath(env));
	} catch (cause) {
		throw new TailtuneError("disk", `cache folder ${(cause as Error).message}`, { cause });
	}
}
