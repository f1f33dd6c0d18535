import { cp, readFile, realpath, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { sampleTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";
import { interruptedRun, RESUMED, resumeOutcome } from "./interrupted-run.ts";

const DEMO = new URL("../../../coordinator/base-model/demo-model", import.meta.url);

test.serial("a run started with relative paths can be resumed from another folder", async (t) => {
	const original = await realpath(await newFolder());
	process.chdir(original);
	await cp(DEMO, "model", { recursive: true });
	for (const file of ["train.tsv", "validation.tsv", "test.tsv"]) await writeFile(file, sampleTexts(20));
	const sets = { train: "train.tsv", validation: "./validation.tsv", test: "test.tsv" };
	const folder = await interruptedRun({ ...sets, model: "model" });
	process.chdir(await newFolder());
	t.is(await resumeOutcome(folder), RESUMED);
	t.like(JSON.parse(await readFile(join(folder, "config.json"), "utf8")), {
		train: join(original, "train.tsv"),
		validation: join(original, "validation.tsv"),
		test: join(original, "test.tsv"),
		model: join(original, "model"),
	});
});

test.serial(
	"moved data is an error in one line with advice; when it is moved back, the run can be resumed",
	async (t) => {
		const original = await realpath(await newFolder());
		process.chdir(original);
		await writeFile("data.tsv", sampleTexts(40));
		const folder = await interruptedRun({ data: "data.tsv" });
		const data = join(original, "data.tsv");
		await rename(data, join(original, "moved.tsv"));
		const hint = `the run in ${folder} was started with it: put it back there, or start a new run`;
		t.is(await resumeOutcome(folder), `${data}: no such file or folder; ${hint}`);
		await rename(join(original, "moved.tsv"), data);
		t.is(await resumeOutcome(folder), RESUMED);
	},
);
