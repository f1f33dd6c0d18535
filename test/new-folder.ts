import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

process.once("exit", () => {
	for (const folder of folders) remove(folder);
});

/** A folder of a test file's own, which goes when its process does. */
export async function newFolder(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-test-"));
	folders.push(folder);
	return folder;
}

function remove(folder: string): void {
	try {
		rmSync(folder, { recursive: true, force: true });
	} catch {
		// What a test's own process still writes to stays: no reason to fail.
	}
}
