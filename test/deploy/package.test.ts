import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { execa } from "execa";
import { writeTexts } from "../cli/tailtune.ts";
import { newFolder } from "../new-folder.ts";

/** Names of the packages that npm installs with the package: no development dependencies. */
async function installedPackages(): Promise<string[]> {
	const { packages } = JSON.parse(await readFile("package-lock.json", "utf8"));
	return Object.entries<{ dev?: boolean }>(packages)
		.filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev)
		.map(([path]) => path.slice("node_modules/".length));
}

/** A project of somebody else's in which the packed package is installed. @returns its folder, and the package's */
async function install(): Promise<{ project: string; installed: string }> {
	const project = await newFolder();
	const modules = join(project, "node_modules");
	for (const name of await installedPackages()) {
		await mkdir(dirname(join(modules, name)), { recursive: true });
		// An optional package of another platform isn't there: the link leads nowhere.
		await symlink(join(process.cwd(), "node_modules", name), join(modules, name));
	}
	const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", project]);
	const [{ filename }] = JSON.parse(stdout);
	const installed = join(modules, "tailtune");
	await mkdir(installed);
	await execa("tar", [
		"--extract",
		"--strip-components=1",
		"--file",
		join(project, filename),
		"--directory",
		installed,
	]);
	return { project, installed };
}

test("the packed package, installed elsewhere, trains on a worker process and classifies, and stays as it is", async (t) => {
	const { project, installed } = await install();
	const before = (await readdir(installed, { recursive: true })).sort();
	const env = { XDG_CACHE_HOME: join(project, "cache"), XDG_RUNTIME_DIR: "" };
	const run = (...args: string[]) =>
		execa(process.execPath, [join(installed, "tailtune.mjs"), ...args], { env, cwd: project });
	const { version } = JSON.parse(await readFile("package.json", "utf8"));
	t.is((await run("--version")).stdout, version);
	// A worker process computes in a thread, and the coordinator has kernel threads.
	const training = [
		"--data",
		await writeTexts(20),
		"--model",
		"demo",
		"--lr",
		"1e-3",
		"--epochs",
		"1",
		"--threads",
		"2",
	];
	await run("train", "--workers", "1", "--out", "run", ...training);
	const { stdout } = await run("--json", "classify", "run", "WIN 3 FREE prizes now!!! call 0800 claim");
	t.is(JSON.parse(stdout.split("\n")[0] ?? "").label, "spam");
	t.deepEqual((await readdir(installed, { recursive: true })).sort(), before);
});
