import { join } from "node:path";
import test from "ava";
import { writeTexts } from "../cli/tailtune.ts";
import { newFolder } from "../new-folder.ts";
import { LONG, RunProcess } from "./processes.ts";

test("a wait for a run that doesn't end fails with the run's last events, instead of lasting for ever", async (t) => {
	const out = join(await newFolder(), "run");
	const endless = [...LONG, "--epochs", "1000000"];
	const run = new RunProcess(["--data", await writeTexts(10), "--out", out, ...endless], {}, 8_000);
	const { message } = await t.throwsAsync(run.reach("result"));
	t.regex(
		message,
		/^the run ended before its result: killed because it was still running after 8 s; its last events: /,
	);
	t.regex(await run.end(), /^killed because/);
});
