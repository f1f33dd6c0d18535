import { homedir } from "node:os";
import { join } from "node:path";

/** Where Tailtune keeps what it can make or fetch again: `tailtune` in XDG_CACHE_HOME or ~/.cache. */
export function ownCacheFolder(): string {
	return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tailtune");
}
