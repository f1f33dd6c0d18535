import { cp, readFile, realpath, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { sampleTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";
import { COMMIT, startFakeHub } from "../base-model/fake-hub.ts";
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

test.serial(
	"a run with a branch of the hub is resumed with the same commit, even if the branch has moved",
	async (t) => {
		const files = ["config.json", "model.safetensors"].map(async (name) => [
			name,
			await readFile(join(DEMO.pathname, name)),
		]);
		const hub = await startFakeHub(t, Object.fromEntries(await Promise.all(files)));
		const setCache = async () => Object.assign(process.env, { HF_HOME: await newFolder(), HF_ENDPOINT: hub.url });
		process.chdir(await newFolder());
		await writeFile("data.tsv", sampleTexts(40));
		await setCache();
		const folder = await interruptedRun({ data: "data.tsv", model: "tiny" });
		t.is(JSON.parse(await readFile(join(folder, "config.json"), "utf8")).model, `tiny@${COMMIT}`);
		const moved = "fedcba9876543210fedcba9876543210fedcba98";
		hub.revisions.set("main", moved).set("old", COMMIT);
		await setCache();
		t.is(await resumeOutcome(folder), RESUMED);
		t.false(hub.requests.some(({ path }) => path.includes(moved)));
	},
);
