import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { newFolder } from "../new-folder.ts";
import { QUICK, start, writeTexts } from "./tailtune.ts";

const BREAK = fileURLToPath(new URL("../break-libraries.mjs", import.meta.url));

test("without koffi's library a run says that it can't lock its folder, and ends with the same weights", async (t) => {
	const folder = await newFolder();
	const data = await writeTexts(40);
	const weights = async (out: string, env: Record<string, string>) => {
		const ended = await start(["train", "--data", data, "--out", join(folder, out), ...QUICK], env);
		t.is(ended.exitCode, 0, String(ended.stderr));
		const model = await readFile(join(folder, out, "model", "model.safetensors"));
		return { model, said: `${ended.stdout}\n${ended.stderr}` };
	};
	const env = { NODE_OPTIONS: `--import=${BREAK}`, BROKEN_LIBRARY: "koffi" };
	const [without, as] = await Promise.all([weights("without", env), weights("with", {})]);
	t.true(without.model.equals(as.model));
	const warning = `${folder}/without: can't be locked (this system has no flock, or koffi isn't there to call it)`;
	t.true(without.said.includes(warning), without.said);
	t.false(as.said.includes("can't be locked"));
});
