import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { inspectEngines } from "../../worker/engine/inspect-engines.ts";
import { newFolder } from "../new-folder.ts";
import { start } from "./tailtune.ts";

const native = (await inspectEngines()).find(({ backend }) => backend === "tensorflow");

if (native?.usable) {
	test("tensorflow: the quick start tunes a filter that classifies both messages correctly", async (t) => {
		const cwd = await newFolder();
		const { exitCode, stdout, stderr } = await start(
			["--json", "quickstart", "--engine", "tfjs", "--backend", "tensorflow"],
			{},
			cwd,
		);
		t.is(exitCode, 0, String(stderr));
		const events = String(stdout)
			.split("\n")
			.map((line) => JSON.parse(line));
		const labels = events.filter(({ event }) => event === "classification").map(({ label }) => label);
		t.deepEqual(labels, ["spam", "ham"]);
		const [run = ""] = await readdir(join(cwd, "runs"));
		const { engine } = await readRunResult(join(cwd, "runs", run));
		t.like(engine, { trunk: "tfjs tensorflow", tail: "tfjs tensorflow" });
	});
} else {
	test("NOT RUN on this machine: the quick start on native TensorFlow", (t) => {
		t.log(native?.detail);
		t.pass();
	});
}
