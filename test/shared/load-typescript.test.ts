import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { COMMAND } from "../cli/tailtune.ts";
import { newFolder } from "../new-folder.ts";

const SOURCE = fileURLToPath(new URL("../../shared/errors.ts", import.meta.url));
const STARTS_A_THREAD = fileURLToPath(new URL("threads/run-in-thread.ts", import.meta.url));

/** The name under which tsx keeps compiled code in the temporary folder. */
const OF_TSX = `tsx-${process.geteuid?.()}`;

/** A shared temporary folder, and an environment in which it is the only place with compiled code. */
async function newPlace() {
	const temporary = await newFolder();
	const base = await newFolder();
	const env = { TMPDIR: temporary, XDG_RUNTIME_DIR: join(base, "run"), XDG_CACHE_HOME: join(base, "cache") };
	return { temporary, base, env };
}

function isJson(text: string): boolean {
	try {
		return JSON.parse(text) !== undefined;
	} catch {
		return false;
	}
}

/** Has tsx itself compile a file, and waits until it has written all that it keeps. @returns it, by its files' names */
async function keptByTsx(folder: string, env: Record<string, string>): Promise<Record<string, { code: string }>> {
	const program = `await import(${JSON.stringify(SOURCE)}); setInterval(() => {}, 1000)`;
	const running = execa(process.execPath, ["--import=tsx", "--input-type=module", "--eval", program], { env });
	running.catch(() => {});
	try {
		for (;;) {
			await sleep(20);
			const names = await readdir(folder).catch(() => []);
			const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
			if (texts.length > 0 && texts.every(isJson))
				return Object.fromEntries(names.map((name, i) => [name, JSON.parse(texts[i] ?? "")]));
		}
	} finally {
		running.kill("SIGKILL");
	}
}

test("compiled code that another user put into the temporary folder is not run, by a command or a thread", async (t) => {
	const { temporary, env } = await newPlace();
	const folder = join(temporary, OF_TSX);
	for (const [name, compiled] of Object.entries(await keptByTsx(folder, env))) {
		await writeFile(
			join(folder, name),
			JSON.stringify({ ...compiled, code: `console.log("foreign");${compiled.code}` }),
		);
	}
	const { stdout } = await execa(process.execPath, ["--import=tsx", SOURCE], { env });
	t.is(stdout, "foreign", "this is the attack");

	const command = await execa(process.execPath, [COMMAND, "--version"], { env });
	t.regex(command.stdout, /^\d+\.\d+\.\d+$/);
	const loader = `--import=${import.meta.resolve("../../shared/load-typescript.mjs")}`;
	const thread = await execa(process.execPath, [loader, STARTS_A_THREAD, SOURCE], { env });
	t.is(thread.stdout, `${temporary} undefined\nended with 0`, "and the thread changes no environment");
	t.deepEqual(await readdir(temporary), [OF_TSX]);
	t.true((await readdir(join(env.XDG_RUNTIME_DIR, "tailtune", OF_TSX))).length > 0, "compiled code is kept");
});

test("nothing is removed through links that another user put into the temporary folder", async (t) => {
	const { temporary, base, env } = await newPlace();
	const foreign = join(base, "foreign");
	await mkdir(foreign);
	// As tsx names what it keeps, and long expired.
	const names = Array.from({ length: 20 }, (_, i) => `100-${i}`);
	for (const name of names) await writeFile(join(foreign, name), "{}");
	for (const name of [OF_TSX, "tsx"]) await symlink(foreign, join(temporary, name));
	await execa(process.execPath, [COMMAND, "train", "--help"], { env });
	t.deepEqual((await readdir(foreign)).sort(), names.sort());
});

test("a command runs where there can be no private folder, and keeps no compiled code", async (t) => {
	const { temporary, base, env } = await newPlace();
	await mkdir(env.XDG_RUNTIME_DIR);
	await mkdir(env.XDG_CACHE_HOME);
	for (const folder of [env.XDG_RUNTIME_DIR, env.XDG_CACHE_HOME]) await symlink(base, join(folder, "tailtune"));
	const { stdout } = await execa(process.execPath, [COMMAND, "--version"], { env });
	t.regex(stdout, /^\d+\.\d+\.\d+$/);
	t.deepEqual(await readdir(temporary), []);
	t.deepEqual((await readdir(base)).sort(), ["cache", "run"]);
});
