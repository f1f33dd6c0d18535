import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
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

test("compiled code that another user put into the temporary folder is not run, by a command or a thread", async (t) => {
	const { temporary, env } = await newPlace();
	await execa(process.execPath, ["--import=tsx", SOURCE], { env });
	const folder = join(temporary, OF_TSX);
	const planted = await readdir(folder);
	t.true(planted.length > 0, "tsx no longer keeps compiled code there");
	for (const name of planted) {
		const compiled = JSON.parse(await readFile(join(folder, name), "utf8"));
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
	t.is(thread.stdout, "ended with 0");
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
