import { spawnSync } from "node:child_process";
import { access, chmod, mkdir, readdir, rmdir, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import test from "ava";
import { makeCopyFolder } from "../../../coordinator/serve/copy-folder.ts";
import { newFolder } from "../../new-folder.ts";

/** The pid of a process that has ended. */
const deadPid = spawnSync(process.execPath, ["--eval", ""]).pid;

/** Gives this process a new cache. @returns the folder for copies, and the part of a copy's name before the pid */
async function newCache() {
	process.env.XDG_CACHE_HOME = await newFolder();
	const { path, remove } = await makeCopyFolder();
	await remove();
	const [, scope = ""] = /^(.*)-\d+-\w+$/.exec(basename(path)) ?? [];
	return { folder: dirname(path), scope };
}

test.serial(
	"copies of a killed process are removed; those of running processes and of other hosts or containers are kept",
	async (t) => {
		const { folder, scope } = await newCache();
		const names = {
			dead: `${scope}-${deadPid}-abcdef`,
			alive: `${scope}-${process.ppid}-abcdef`,
			elsewhere: `tailtune-serve-another-host-1-${deadPid}-abcdef`,
			elsewhereLongAgo: `tailtune-serve-another-host-1-${deadPid}-fedcba`,
			notOurs: "something-else",
		};
		for (const name of Object.values(names)) await mkdir(join(folder, name, "model"), { recursive: true });
		const longAgo = new Date(Date.now() - 25 * 3_600_000);
		await utimes(join(folder, names.elsewhereLongAgo), longAgo, longAgo);
		const { path, remove } = await makeCopyFolder();
		const { dead: _, elsewhereLongAgo: __, ...left } = names;
		t.deepEqual((await readdir(folder)).sort(), [basename(path), ...Object.values(left)].sort());
		await remove();
		t.deepEqual((await readdir(folder)).sort(), Object.values(left).sort());
	},
);

test.serial("links to copies and links in copies are not followed", async (t) => {
	const { folder, scope } = await newCache();
	const foreign = await newFolder();
	await writeFile(join(foreign, "kept"), "");
	await symlink(foreign, join(folder, `${scope}-${deadPid}-abcdef`));
	await mkdir(join(folder, `${scope}-${deadPid}-fedcba`));
	await symlink(foreign, join(folder, `${scope}-${deadPid}-fedcba`, "model"));
	const { remove } = await makeCopyFolder();
	await remove();
	t.deepEqual(await readdir(foreign), ["kept"]);
	t.deepEqual(await readdir(folder), [`${scope}-${deadPid}-abcdef`]);
});

test.serial("old copies in the temporary folder, which users share, are kept and do no harm", async (t) => {
	await newCache();
	const leftover = join(tmpdir(), `tailtune-serve-${hostname()}-${deadPid}-${basename(await newFolder()).slice(-6)}`);
	await mkdir(leftover);
	t.teardown(() => rmdir(leftover));
	const { remove } = await makeCopyFolder();
	await remove();
	await t.notThrowsAsync(access(leftover));
});

test.serial("if other users can write to the cache, a copy is made in the temporary folder", async (t) => {
	const { folder } = await newCache();
	await chmod(folder, 0o777);
	const { path, remove } = await makeCopyFolder();
	t.is(dirname(path), tmpdir());
	await remove();
	await t.throwsAsync(access(path), { code: "ENOENT" });
	t.deepEqual(await readdir(folder), []);
});
