import { TailtuneError } from "../errors.ts";
import { cachePath, makePrivateFolder } from "./private-folder.mjs";

/**
 * Returns the folder for everything that Tailtune can compute or download again: `tailtune` in XDG_CACHE_HOME or
 * ~/.cache. It is created if needed, and checked to be accessible only by this user, because code and models are loaded
 * from it.
 * @throws TailtuneError "disk" if it can't be created or isn't private
 */
export function ownCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
	try {
		return makePrivateFolder(cachePath(env));
	} catch (cause) {
		throw new TailtuneError("disk", `cache folder ${(cause as Error).message}`, { cause });
	}
}
