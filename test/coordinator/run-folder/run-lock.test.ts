import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { lockRunFolder } from "../../../coordinator/run-folder/run-lock.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { newFolder } from "../../new-folder.ts";

const PROGRAM = fileURLToPath(new URL("./run-lock-program.ts", import.meta.url));

const program = (...args: string[]) =>
	execa(process.execPath, ["--import=tsx", PROGRAM, ...args], { reject: false, timeout: 120_000 });

test("a folder locked by a running process is refused with the process id", async (t) => {
	const folder = await newFolder();
	const { release } = await lockRunFolder(folder);
	const error = await t.throwsAsync(lockRunFolder(folder), { instanceOf: TailtuneError, code: "busy" });
	t.is(error?.message, `${folder}: in use by process ${process.pid} on ${hostname()}; wait until it ends, or stop it`);
	await release();
	t.deepEqual(await readdir(folder), []);
	await release();
	await (await lockRunFolder(folder)).release();
});

test("after kill -9 the folder can be locked at once, although a child of the killed process is running", async (t) => {
	const folder = await newFolder();
	const holder = program("hold", folder);
	const [line] = (await once(holder.stdout, "data")) as [Buffer];
	const { runId, child } = JSON.parse(String(line));
	try {
		const message = new RegExp(`in use by process ${holder.pid} on`);
		await t.throwsAsync(lockRunFolder(folder), { code: "busy", message });
		holder.kill("SIGKILL");
		await holder;
		const lock = await lockRunFolder(folder);
		t.deepEqual(lock.abandoned, [runId]);
		t.deepEqual(JSON.parse(await readFile(join(folder, "run.lock"), "utf8")).runs, [runId, lock.runId]);
		await lock.release();
	} finally {
		holder.kill("SIGKILL");
		process.kill(child);
	}
});

for (const [whose, host] of [
	["of this process's id, as in a restarted container", hostname()],
	["of another host name, as in a new container", "elsewhere"],
] as const) {
	test(`an abandoned lock ${whose}, is taken over at once`, async (t) => {
		const folder = await newFolder();
		const left = { pid: process.pid, host, runs: ["older", "old"] };
		await writeFile(join(folder, "run.lock"), JSON.stringify(left));
		const { abandoned, release } = await lockRunFolder(folder);
		t.deepEqual(abandoned, ["older", "old"]);
		await release();
	});
}

test("a lock cut short by a crash is taken over", async (t) => {
	const folder = await newFolder();
	await writeFile(join(folder, "run.lock"), '{"pid":');
	const { abandoned, release } = await lockRunFolder(folder);
	t.deepEqual(abandoned, []);
	await release();
});

test("of two processes that take an abandoned lock, exactly one gets it", async (t) => {
	for (let round = 0; round < 100; round++) {
		const folder = await newFolder();
		await writeFile(join(folder, "run.lock"), JSON.stringify({ pid: 1, host: "elsewhere", runs: ["old"] }));
		const taken = await Promise.allSettled([lockRunFolder(folder), lockRunFolder(folder)]);
		const held = taken.filter((of) => of.status === "fulfilled");
		t.is(held.length, 1);
		await held[0]?.value.release();
	}
});

test("processes that take a lock in quick succession never hold it at the same time", async (t) => {
	const folder = await newFolder();
	const ended = await Promise.all([program("turns", folder, "1000"), program("turns", folder, "1000")]);
	t.deepEqual(
		ended.map(({ stdout }) => stdout),
		['{"collisions":0}', '{"collisions":0}'],
	);
	t.deepEqual(await readdir(folder), []);
});
