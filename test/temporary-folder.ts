import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ExecutionContext } from "ava";

/** Writes files into a new folder that goes when the test ends. @returns the folder */
export async function temporaryFolder(
	t: ExecutionContext,
	files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-data-"));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	for (const [name, content] of Object.entries(files)) {
		await mkdir(dirname(join(folder, name)), { recursive: true });
		await writeFile(join(folder, name), content);
	}
	return folder;
}
