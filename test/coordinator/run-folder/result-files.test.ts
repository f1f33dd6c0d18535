import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import {
	appendAudit,
	appendMetrics,
	keepLines,
	METRICS_FILE,
	RESULT_FILE,
	readAudit,
	readMetrics,
	readRunResult,
	writeRunResult,
} from "../../../coordinator/run-folder/result-files.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { sampleLine, sampleMetrics, sampleResult } from "./sample-run.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "results-"));
	try {
		await use(folder);
	} finally {
		await rm(folder, { recursive: true });
	}
}

test("a result is read back unchanged", (t) =>
	withFolder(async (folder) => {
		const result = sampleResult(["ham", "spam", "später"]);
		await writeRunResult(folder, result);
		t.deepEqual(await readRunResult(folder), result);
	}));

test("a folder without a result is not a finished run", (t) =>
	withFolder(async (folder) => {
		const error = await t.throwsAsync(readRunResult(folder), { instanceOf: TailtuneError });
		t.is((error as TailtuneError).code, "not-found");
		t.true(error?.message.startsWith(`${folder}: no finished run here`));
	}));

test("an invalid result is refused with the file and the key", (t) =>
	withFolder(async (folder) => {
		const result = sampleResult();
		const file = join(folder, RESULT_FILE);
		for (const [text, message] of [
			["{", `${file}: not JSON`],
			[
				JSON.stringify({ ...result, accuracy: { ...result.accuracy, test: 95 } }),
				`${file}: accuracy.test: found 95, expected at most 1`,
			],
			[JSON.stringify({ ...result, labels: ["one"] }), `${file}: labels: found ["one"], expected at least 2 values`],
			[
				JSON.stringify({ ...result, finishedAt: "today" }),
				`${file}: finishedAt: found "today", expected a time in UTC`,
			],
			[JSON.stringify({ ...result, labels: undefined }), `${file}: labels: found nothing, expected a list`],
			["[]", `${file}: found [], expected an object`],
			["[".repeat(10_000) + "]".repeat(10_000), `${file}: found more than 128 levels of lists and objects`],
			[JSON.stringify({ ...result, surprise: 1 }), `${file}: surprise: unknown field`],
		] as const) {
			await writeFile(file, text);
			const error = await t.throwsAsync(readRunResult(folder), { instanceOf: TailtuneError, code: "data" });
			t.true(error?.message.startsWith(message), error?.message);
			t.false(error?.message.includes("\n"));
		}
	}));

test("a result with a number that isn't finite is not written", (t) =>
	withFolder(async (folder) => {
		await t.throwsAsync(writeRunResult(folder, { ...sampleResult(), stepMs: Number.NaN }));
		await t.throwsAsync(readRunResult(folder), { code: "not-found" });
	}));

test("metrics are appended line by line and read back", (t) =>
	withFolder(async (folder) => {
		const lines = sampleMetrics();
		t.deepEqual(await readMetrics(folder), []);
		for (const line of lines) await appendMetrics(join(folder, METRICS_FILE), line);
		t.deepEqual(await readMetrics(folder), lines);
	}));

test("a last line cut short by a crash is ignored, and removed when metrics are cut back to a checkpoint", (t) =>
	withFolder(async (folder) => {
		const file = join(folder, METRICS_FILE);
		const lines = [50, 100, 150].map((step) => sampleLine("step", step));
		for (const line of lines) await appendMetrics(file, line);
		await appendFile(file, '{"kind":"step","st');
		t.deepEqual(await readMetrics(folder), lines);
		await keepLines(folder, { metrics: 2, steps: 0 });
		t.deepEqual(await readMetrics(folder), lines.slice(0, 2));
		t.true((await readFile(file, "utf8")).endsWith("}\n"));
		await keepLines(folder, { metrics: 0, steps: 0 });
		t.is(await readFile(file, "utf8"), "");
	}));

test("audit lines are read back up to a given number, and cut back to a checkpoint", (t) =>
	withFolder(async (folder) => {
		const parts = [{ part: 0, shard: 0, examples: 8, worker: "a" }];
		const lines = [1, 2, 3].map((step) => ({ step, parts }));
		await appendAudit(folder, lines.slice(0, 1));
		await appendAudit(folder, lines.slice(1));
		t.deepEqual(await readAudit(folder), lines);
		t.deepEqual(await readAudit(folder, 2), lines.slice(0, 2));
		await keepLines(folder, { metrics: 0, steps: 2 });
		t.deepEqual(await readAudit(folder), lines.slice(0, 2));
	}));

test("an invalid metrics line is refused with its number", (t) =>
	withFolder(async (folder) => {
		const file = join(folder, METRICS_FILE);
		await appendMetrics(file, sampleLine("step", 50));
		await appendFile(file, '{"kind":"hour"}\n');
		await t.throwsAsync(readMetrics(folder), { instanceOf: TailtuneError, message: /metrics\.jsonl line 2: kind: / });
	}));

test("metrics that can't be written cause a disk error with the file's name", (t) =>
	withFolder(async (folder) => {
		const file = join(folder, "none", METRICS_FILE);
		await t.throwsAsync(appendMetrics(file, sampleLine("step", 50)), {
			message: `${file}: can't be written: the folder doesn't exist`,
		});
	}));
