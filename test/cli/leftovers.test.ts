import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { contents, removeFolder, workFolder } from "./refusals.ts";
import { QUICK, sampleTexts, start } from "./tailtune.ts";

const folder = await workFolder();

/** The folder of the compiled program, in the home folder. */
const PROGRAMS = "cache/tailtune/programs/";

test.after.always(() => removeFolder(folder));

test("a run leaves only its result folder and the compiled program: no log, no features, no identifier of a library", async (t) => {
	const home = join(folder, "home");
	const temporary = join(folder, "temporary");
	await mkdir(home);
	await mkdir(temporary);
	await writeFile(join(folder, "texts.tsv"), sampleTexts(20));
	const env = { HOME: home, XDG_CACHE_HOME: join(home, "cache"), TMPDIR: temporary };
	const args = ["train", "--data", "texts.tsv", "--out", "run", ...QUICK, "--feature-memory", "0"];
	const { exitCode, stderr } = await start(args, env, folder);
	t.is(exitCode, 0, String(stderr));
	const left = Object.keys(await contents(home)).filter(
		(path) => !path.startsWith(PROGRAMS) && !PROGRAMS.startsWith(path),
	);
	t.deepEqual(left, []);
	t.deepEqual(await readdir(temporary), []);
});
