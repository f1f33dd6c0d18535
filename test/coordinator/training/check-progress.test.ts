import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { readChecked, writeChecked } from "../../../shared/model/checked-safetensors.ts";
import { contents } from "../../cli/refusals.ts";
import { writeTexts } from "../../cli/tailtune.ts";
import { newFolder } from "../../new-folder.ts";
import { interruptedRun, RESUMED, resumeOutcome } from "./interrupted-run.ts";

/** A run stopped after one step of its third epoch; an epoch has 7 steps. */
const interrupted = writeTexts(40).then((data) => interruptedRun({ data }));

/** Copies the run and changes the copy. */
async function copyChanged(change: (folder: string) => Promise<void>): Promise<string> {
	const folder = join(await newFolder(), "run");
	await cp(await interrupted, folder, { recursive: true });
	await change(folder);
	return folder;
}

const replaceIn = (name: string, from: string | RegExp, to: string) => async (folder: string) => {
	const text = await readFile(join(folder, name), "utf8");
	const after = text.replace(from, to);
	if (after === text) throw new Error(`${name} holds no ${from}`);
	await writeFile(join(folder, name), after);
};

const changeProgress = (change: (progress: Record<string, unknown>) => void) => async (folder: string) => {
	const path = join(folder, "checkpoint.safetensors");
	const file = await readChecked(path);
	const progress = JSON.parse(file.metadata.progress ?? "");
	change(progress);
	const names = [...file.tensors.keys()];
	const vectors = await Promise.all(names.map(async (name) => [name, await file.read(name)] as const));
	await writeChecked(path, Object.fromEntries(vectors), { progress: JSON.stringify(progress) });
};

test("a consistent run is resumed, whatever was written after its checkpoint", async (t) => {
	t.is(await resumeOutcome(await copyChanged(async () => {})), RESUMED);
});

const FAULTS: [what: string, change: (folder: string) => Promise<void>, message: RegExp][] = [
	["a missing audit.jsonl", (folder) => rm(join(folder, "audit.jsonl")), /^audit\.jsonl: found 0 lines, expected one/],
	[
		"a missing metrics.jsonl",
		(folder) => rm(join(folder, "metrics.jsonl")),
		/^metrics\.jsonl: found 0 lines, expected /,
	],
	["an invalid audit line", replaceIn("audit.jsonl", '"step":3', '"step":"3"'), /^audit\.jsonl line 3: step: /],
	[
		"an audit line of another step",
		replaceIn("audit.jsonl", '"step":3', '"step":4'),
		/^audit\.jsonl line 3: counted \[4/,
	],
	["texts counted twice", replaceIn("audit.jsonl", '"examples":8', '"examples":9'), /^audit\.jsonl line 1: counted /],
	[
		"an invalid evaluation",
		replaceIn("metrics.jsonl", '"kind":"epoch"', '"kind":"hour"'),
		/^metrics\.jsonl line \d: kind: /,
	],
	["a missing epoch", replaceIn("metrics.jsonl", /.*"kind":"epoch".*"epoch":1,.*\n/, ""), /^metrics\.jsonl: found /],
	[
		"lines out of order",
		replaceIn("metrics.jsonl", '"step":5,', '"step":9,'),
		/^metrics\.jsonl: found step 9 before a smaller one/,
	],
	[
		"another best epoch",
		replaceIn(
			"metrics.jsonl",
			/("kind":"epoch".*"epoch":1,.*"validation":\{"loss":)[^,]*,"accuracy":[^,]*/,
			'$10,"accuracy":1',
		),
		/^metrics\.jsonl: found the best epoch \{"epoch":1,.*"loss":0,"accuracy":1,.*\}, checkpoint\.safetensors has /,
	],
	[
		"a checkpoint of another step",
		changeProgress((progress) => {
			progress.step = 14;
		}),
		/^checkpoint\.safetensors: found \d+ texts learned from, expected \d+; put back a copy of it, or start a new run$/,
	],
	[
		"a checkpoint of more steps than an epoch has",
		changeProgress((progress) => {
			progress.step = 99;
		}),
		/^checkpoint\.safetensors: found step 99 after 2 epochs, expected 7 steps in each; /,
	],
];

for (const [what, change, message] of FAULTS) {
	test(`a resumed run is refused before work is sent to workers, and no file is changed: ${what}`, async (t) => {
		const folder = await copyChanged(change);
		const before = await contents(folder);
		t.regex((await resumeOutcome(folder)).replace(`${folder}/`, ""), message);
		t.deepEqual(await contents(folder), before);
	});
}
