import { cp, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { renderOutputPage } from "./output-page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Reads every file below a folder: content by path. */
async function readContents(folder: string): Promise<Record<string, string>> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
	const texts = files.map(async (file) => [file.slice(folder.length), await readFile(file, "utf8")] as const);
	return Object.fromEntries(await Promise.all(texts));
}

test("proto/gen is up to date: npm run proto changes nothing", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-proto-"));
	try {
		await cp(join(root, "package.json"), join(folder, "package.json"));
		await cp(join(root, "proto"), join(folder, "proto"), { recursive: true });
		await rm(join(folder, "proto/gen"), { recursive: true });
		await symlink(join(root, "node_modules"), join(folder, "node_modules"));
		await execa("npm", ["run", "--silent", "proto"], { cwd: folder });
		t.deepEqual(await readContents(join(folder, "proto/gen")), await readContents(join(root, "proto/gen")));
	} finally {
		await rm(folder, { recursive: true });
	}
});

test("docs/output.md is up to date: npm run docs changes nothing, and every field in it has a description", async (t) => {
	const page = renderOutputPage();
	t.is(await readFile(join(root, "docs/output.md"), "utf8"), page);
	const undescribed = page.split("\n").filter((line) => line.startsWith("| `") && line.endsWith("|  |"));
	t.deepEqual(undescribed, []);
});
