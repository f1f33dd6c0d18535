import { readdir, rm, stat, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import { debuglog } from "node:util";

/** Number of models, complete or not, that stay in the cache. */
const MODELS_KEPT = 5;

const log = debuglog("tailtune");

/**
 * Marks a model of the cache as used, and removes the others except the last used ones: a server that gets new models
 * again and again would fill the disks of its workers. A worker that still uses a removed model fetches it again.
 * @param folder of the model; its parent is the folder of all models. Neither needs to exist
 */
export async function keepRecentModels(folder: string): Promise<void> {
	const parent = join(folder, "..");
	const now = new Date();
	await utimes(folder, now, now).catch(() => {}); // it isn't in the cache yet
	const names = await readdir(parent).catch(() => []);
	const others = names.filter((name) => /^\.?[0-9a-f]{64}(\.part)?$/.test(name) && !name.includes(basename(folder)));
	const models = await Promise.all(
		others.map(async (name) => {
			const path = join(parent, name);
			return { path, usedMs: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
		}),
	);
	const old = models.sort((a, b) => b.usedMs - a.usedMs).slice(MODELS_KEPT - 1);
	for (const { path } of old) {
		await rm(path, { recursive: true, force: true }).catch((error) => log("%s isn't removed: %s", path, error));
	}
}
