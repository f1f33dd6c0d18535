import { cp, readFile, realpath, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { sampleTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";
import { goesOn, interruptedRun } from "./interrupted-run.ts";

const DEMO = new URL("../../../coordinator/base-model/demo-model", import.meta.url);

test.serial("a run begun with relative paths goes on from another folder", async (t) => {
	const home = await realpath(await newFolder());
	process.chdir(home);
	await cp(DEMO, "model", { recursive: true });
	for (const file of ["train.tsv", "validation.tsv", "test.tsv"]) await writeFile(file, sampleTexts(20));
	const sets = { train: "train.tsv", validation: "./validation.tsv", test: "test.tsv" };
	const folder = await interruptedRun({ ...sets, model: "model" });
	process.chdir(await newFolder());
	t.is(await goesOn(folder), "goes on");
	t.like(JSON.parse(await readFile(join(folder, "config.json"), "utf8")), {
		train: join(home, "train.tsv"),
		validation: join(home, "validation.tsv"),
		test: join(home, "test.tsv"),
		model: join(home, "model"),
	});
});

test.serial(
	"data that was moved since is told in one line, with what to do; moved back, the run goes on",
	async (t) => {
		const home = await realpath(await newFolder());
		process.chdir(home);
		await writeFile("data.tsv", sampleTexts(40));
		const folder = await interruptedRun({ data: "data.tsv" });
		const data = join(home, "data.tsv");
		await rename(data, join(home, "moved.tsv"));
		const wayOut = `the run in ${folder} was started with it: put it back there, or start a new run`;
		t.is(await goesOn(folder), `${data}: no such file or folder; ${wayOut}`);
		await rename(join(home, "moved.tsv"), data);
		t.is(await goesOn(folder), "goes on");
	},
);
