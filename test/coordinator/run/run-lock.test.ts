import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import test from "ava";
import { lockRunFolder } from "../../../coordinator/run/run-lock.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { newFolder } from "../../new-folder.ts";

test("a folder held by a live process is refused, with its number", async (t) => {
	const folder = await newFolder();
	const { release } = await lockRunFolder(folder);
	const error = await t.throwsAsync(lockRunFolder(folder), { instanceOf: TailtuneError });
	t.regex(error.message, new RegExp(`in use by process ${process.pid} on`));
	t.is(error.code, "busy");
	await release();
	t.deepEqual(await readdir(folder), []);
});

test("a lock left by a process that died is taken over at once, with the runs that workers may still wait for", async (t) => {
	const folder = await newFolder();
	const { pid } = spawnSync(process.execPath, ["-e", ""]);
	const file = join(folder, "run.lock");
	await writeFile(file, JSON.stringify({ pid, host: hostname(), runs: ["older", "old"] }));
	const { abandoned, runId } = await lockRunFolder(folder);
	t.deepEqual(abandoned, ["older", "old"]);
	t.deepEqual(JSON.parse(await readFile(file, "utf8")).runs, ["older", "old", runId]);
});

test("a lock cut short by a crash is taken over", async (t) => {
	const folder = await newFolder();
	await writeFile(join(folder, "run.lock"), '{"pid":');
	await t.notThrowsAsync(lockRunFolder(folder));
});

test("a lock of another host is refused: nobody here can tell whether its process lives", async (t) => {
	const folder = await newFolder();
	await writeFile(join(folder, "run.lock"), JSON.stringify({ pid: 1, host: "elsewhere" }));
	const error = await t.throwsAsync(lockRunFolder(folder), { instanceOf: TailtuneError });
	t.regex(error.message, /process 1 on elsewhere/);
});
