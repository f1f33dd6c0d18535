import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { checkValue } from "../../shared/check-value.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { parseJsonText } from "../../shared/files/json-file.ts";
import { MOST_JSON_BYTES, MOST_TEXT_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import { asDiskError, writeFileAtomic, writeJson } from "../../shared/files/write-atomic.ts";
import { type AuditLine, auditLineSchema } from "./audit.ts";
import { type MetricsLine, metricsLineSchema, type RunResult, runResultSchema } from "./result.ts";

/** Name of the file in a run folder; it exists when the run is finished. */
export const RESULT_FILE = "result.json";

/** Writes result.json atomically. @throws TailtuneError "disk" */
export async function writeRunResult(folder: string, result: RunResult): Promise<void> {
	await writeJson(join(folder, RESULT_FILE), runResultSchema.parse(result));
}

/**
 * Reads result.json.
 * @throws TailtuneError "not-found" if it doesn't exist, "data" if it isn't a valid result
 */
export async function readRunResult(folder: string): Promise<RunResult> {
	const file = join(folder, RESULT_FILE);
	return parseAs(runResultSchema, await readText(file, folder), file);
}

/** Name of the file in a run folder: one JSON object per evaluation. */
export const METRICS_FILE = "metrics.jsonl";

/** Appends a line to metrics.jsonl and flushes it. @throws TailtuneError "disk" */
export async function appendMetrics(file: string, line: MetricsLine): Promise<void> {
	try {
		await appendFile(file, `${JSON.stringify(metricsLineSchema.parse(line))}\n`, { flush: true });
	} catch (error) {
		throw asDiskError(file, error);
	}
}

/**
 * Reads the metrics of a run folder. A last line without a newline was cut by a crash and is ignored.
 * @param atMost number of first lines to read; default: all
 * @returns nothing if the file doesn't exist, as before the first evaluation
 * @throws TailtuneError "data" that names the line
 */
export async function readMetrics(folder: string, atMost?: number): Promise<MetricsLine[]> {
	return readLines(join(folder, METRICS_FILE), metricsLineSchema, atMost);
}

/** Name of the file in a run folder: one JSON object per step. */
export const AUDIT_FILE = "audit.jsonl";

/** Appends the lines of some steps to audit.jsonl and flushes them. @throws TailtuneError "disk" */
export async function appendAudit(folder: string, lines: readonly AuditLine[]): Promise<void> {
	if (lines.length === 0) return;
	const file = join(folder, AUDIT_FILE);
	try {
		await appendFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { flush: true });
	} catch (error) {
		throw asDiskError(file, error);
	}
}

/** Reads audit.jsonl, like `readMetrics`. */
export async function readAudit(folder: string, atMost?: number): Promise<AuditLine[]> {
	return readLines(join(folder, AUDIT_FILE), auditLineSchema, atMost);
}

/**
 * Removes the lines that were written after a checkpoint: keeps the given number of first lines of metrics.jsonl, and
 * one line per step of audit.jsonl.
 * @throws TailtuneError "disk"
 */
export async function keepLines(folder: string, { metrics, steps }: { metrics: number; steps: number }): Promise<void> {
	await keepFirst(join(folder, METRICS_FILE), metrics);
	await keepFirst(join(folder, AUDIT_FILE), steps);
}

async function readLines<T>(file: string, schema: z.ZodType<T>, atMost?: number): Promise<T[]> {
	const lines = (await wholeLines(file)) ?? [];
	return lines.slice(0, atMost).map((line, i) => parseAs(schema, line, `${file} line ${i + 1}`));
}

/** Keeps a file's first `count` lines. */
async function keepFirst(file: string, count: number): Promise<void> {
	const lines = (await wholeLines(file))?.slice(0, count);
	if (lines) await writeFileAtomic(file, lines.map((line) => `${line}\n`).join(""));
}

async function readText(file: string, folder: string): Promise<string> {
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "data").catch((cause: TailtuneError) => {
		if (cause.code !== "not-found") throw cause;
		throw new TailtuneError("not-found", `${folder}: no finished run here (${file} doesn't exist)`, { cause });
	});
	return bytes.toString("utf8");
}

async function wholeLines(file: string): Promise<string[] | undefined> {
	const bytes = await readRegularFile(file, MOST_TEXT_BYTES, "data").catch((cause: TailtuneError) => {
		if (cause.code !== "not-found") throw cause;
		return undefined;
	});
	return bytes?.toString("utf8").split("\n").slice(0, -1);
}

/**
 * Parses JSON and validates it.
 * @param where the file, and the line if it has several
 * @throws TailtuneError "data" that names the place and the key
 */
export function parseAs<T>(schema: z.ZodType<T>, text: string, where: string): T {
	return checkValue(schema, parseJsonText(text, where, "data"), where, "data");
}
