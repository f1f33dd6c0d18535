import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { newFolder } from "../new-folder.ts";
import { QUICK, start, writeTexts } from "./tailtune.ts";

const BREAK = fileURLToPath(new URL("../break-libraries.mjs", import.meta.url));

test("without koffi a run warns that it can't lock its folder, and gives the same weights", async (t) => {
	const folder = await newFolder();
	const data = await writeTexts(40);
	const weights = async (out: string, env: Record<string, string>) => {
		const ended = await start(["train", "--data", data, "--out", join(folder, out), ...QUICK], env);
		t.is(ended.exitCode, 0, String(ended.stderr));
		const model = await readFile(join(folder, out, "model", "model.safetensors"));
		return { model, output: `${ended.stdout}\n${ended.stderr}` };
	};
	const env = { NODE_OPTIONS: `--import=${BREAK}`, BROKEN_LIBRARY: "koffi" };
	const [without, withKoffi] = await Promise.all([weights("without", env), weights("with", {})]);
	t.true(without.model.equals(withKoffi.model));
	const warning = `${folder}/without: can't be locked (this system has no flock, or koffi isn't installed to call it)`;
	t.true(without.output.includes(warning), without.output);
	t.false(withKoffi.output.includes("can't be locked"));
});
