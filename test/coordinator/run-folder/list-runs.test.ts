import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { type KnownRuns, listLocalRuns } from "../../../coordinator/run-folder/list-runs.ts";
import type { LocalRun } from "../../../coordinator/run-folder/local-runs.ts";
import { appendMetrics, writeRunResult } from "../../../coordinator/run-folder/result-files.ts";
import { createRunFolder } from "../../../coordinator/run-folder/run-folder.ts";
import { localRunsTable } from "../../../coordinator/terminal/local-runs-lines.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { sampleLine, sampleResult } from "./sample-run.ts";

test("a list that is made again reads only the runs whose files have changed", async (t) => {
	const folder = await temporaryFolder(t);
	const known: KnownRuns = new Map();
	const begin = async (name: string) => createRunFolder(await resolveConfig({ data: "a", out: join(folder, name) }));
	const [one, other, gone] = [await begin("one"), await begin("other"), await begin("gone")];
	const before = await listLocalRuns(folder, known);
	await appendMetrics(join(other.path, "metrics.jsonl"), sampleLine("epoch", 130));
	await rm(gone.path, { recursive: true });
	const after = await listLocalRuns(folder, known);
	const of = (runs: readonly LocalRun[], name: string) => runs.find((run) => run.folder === name);
	t.is(of(after, "one"), of(before, "one"), "the same object");
	t.is(of(after, "other")?.epoch, 1);
	t.deepEqual([...known.keys()].sort(), ["one", "other"]);
	for (const run of [one, other]) await run.release();
	t.deepEqual(new Set((await listLocalRuns(folder, known)).map(({ state }) => state)), new Set(["interrupted"]));
});

test("the runs of a folder and of its sweeps are listed with their states, the last one at the end", async (t) => {
	const folder = await temporaryFolder(t);
	let minute = 0;
	const begin = async (place: string, settings: object = {}) => {
		const out = join(folder, place);
		const run = await createRunFolder(
			await resolveConfig({ data: "/data/texts.tsv", metric: "loss", ...settings, out }),
		);
		const started = new Date(Date.UTC(2026, 2, 14, 15, minute++));
		await utimes(join(out, "config.json"), started, started);
		return run;
	};
	const running = await begin("sweep/trial-2");
	const finished = await begin("sweep/trial-1", { name: "first", model: "demo" });
	await writeRunResult(finished.path, sampleResult());
	const interrupted = await begin("stopped");
	await appendMetrics(join(interrupted.path, "metrics.jsonl"), sampleLine("epoch", 130));
	await appendMetrics(join(interrupted.path, "metrics.jsonl"), sampleLine("step", 150));
	for (const run of [finished, interrupted]) await run.release();
	await mkdir(join(folder, "notes"));
	const damaged = await begin("zz");
	await damaged.release();
	await writeFile(join(damaged.path, "config.json"), "{");

	const runs = await listLocalRuns(folder);
	t.deepEqual(
		runs.map(({ folder: run, state, validation, epoch, seconds }) => [run, state, validation, epoch, seconds]),
		[
			["sweep/trial-2", "running", null, 0, null],
			["sweep/trial-1", "finished", 0.9731, 4, 109.9],
			["stopped", "interrupted", sampleLine("epoch", 130).validation.loss, 1, 130 * 0.06],
			["zz", "damaged", null, null, null],
		],
	);
	t.is(runs[0]?.startedAt, "2026-03-14T15:00:00.000Z");
	const lines = localRunsTable(runs).map((line) => line.replaceAll(/ +/g, " "));
	t.regex(
		lines[4] ?? "",
		/^│ first \(sweep\/trial-1\) │ demo │ texts\.tsv │ \d.{15} │ finished │ macro F1 97\.3 %, epoch 4 │/,
	);
	t.is(lines.at(-1), `damaged: ${join(folder, "zz", "config.json")}: not JSON`);
	await running.release();
	t.is((await listLocalRuns(folder))[0]?.state, "interrupted");
	t.deepEqual(await listLocalRuns(running.path), await listLocalRuns(running.path));
	t.deepEqual(localRunsTable(await listLocalRuns(join(folder, "notes"))), ["no runs"]);
	await t.throwsAsync(listLocalRuns(join(folder, "nowhere")), { code: "not-found" });
});
