import { stat } from "node:fs/promises";
import { join } from "node:path";
import { METRICS_FILE, RESULT_FILE } from "./result-files.ts";
import { CONFIG_FILE } from "./run-folder.ts";
import { isInUse } from "./run-lock.ts";

/** Returns a text that changes when the state of a run may have changed. */
export async function fingerprintRun(folder: string): Promise<string> {
	const files = [CONFIG_FILE, METRICS_FILE, RESULT_FILE].map((name) => join(folder, name));
	return [await fingerprintFiles(files), isInUse(folder)].join();
}

/** Returns a text that changes when one of the files may have changed. A file needn't exist. */
export async function fingerprintFiles(files: readonly string[]): Promise<string> {
	const found = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
	return found.map((file) => `${file?.size} ${file?.mtimeMs}`).join();
}
