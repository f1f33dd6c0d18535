import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import type { EpochStep } from "../plan/plan-epoch.ts";

const count = z.int().min(0);

const ignoredSchema = z.strictObject({
	double: count.describe("the work item had its answer already, or the same fault was reported again"),
	stale: count.describe("the answer belongs to an earlier version of the parameters"),
	stray: count.describe("nobody asked for it"),
});

/** Number of answers that were not used, by reason. */
export type IgnoredAnswers = z.infer<typeof ignoredSchema>;

/** Schema of a line of audit.jsonl: the answers that one optimizer step was computed from. */
export const auditLineSchema = z.strictObject({
	/** From 1. */
	step: z.int().min(1),
	/** The answers used, in the order of summation. */
	parts: z.array(z.strictObject({ part: count, shard: count, examples: count, worker: z.string() })),
	/** Answers that came since the step before and were not counted; left out if there were none. */
	ignored: ignoredSchema.optional(),
});

export type AuditLine = z.infer<typeof auditLineSchema>;

/** Schema of the totals over all steps. */
export const auditTotalsSchema = z.strictObject({
	steps: count.describe("optimizer steps"),
	parts: count.describe("answers used, each once"),
	examples: count.describe("training texts in these answers; a text in windows counts as one"),
	workers: z.record(z.string(), count).describe("answers used of each worker, by its id"),
	ignored: ignoredSchema.describe("answers that were not used, by reason"),
});

export type AuditTotals = z.infer<typeof auditTotalsSchema>;

/**
 * Checks that each part of each planned step was counted exactly once.
 * @param lines all lines of the run
 * @param planned the planned steps, in order
 * @param where the name of the file
 * @param countTexts returns the number of texts of a part
 * @throws TailtuneError "protocol" that names the line, the parts found and the parts planned
 */
export function checkAudit(
	lines: readonly AuditLine[],
	planned: readonly EpochStep[],
	where: string,
	countTexts: (examples: readonly number[]) => number,
): AuditTotals {
	const totals = { steps: lines.length, parts: 0, examples: 0, ignored: { double: 0, stale: 0, stray: 0 } };
	if (lines.length !== planned.length)
		throw new TailtuneError("protocol", `${where}: ${lines.length} steps counted, planned ${planned.length}`);
	for (const [index, line] of lines.entries()) {
		const found = JSON.stringify([line.step, line.parts.map(({ part, shard, examples }) => [part, shard, examples])]);
		const parts = planned[index]?.parts ?? [];
		const expected = JSON.stringify([
			index + 1,
			parts.map(({ part, shard, examples }) => [part, shard, examples.length]),
		]);
		if (found !== expected) {
			const what = "[step, [[part, shard, texts], ...]]";
			throw new TailtuneError("protocol", `${where} line ${index + 1}: counted ${found}, planned ${expected}: ${what}`);
		}
		totals.parts += parts.length;
		totals.examples += parts.reduce((sum, { examples }) => sum + countTexts(examples), 0);
		for (const why of ["double", "stale", "stray"] as const) totals.ignored[why] += line.ignored?.[why] ?? 0;
	}
	return { ...totals, workers: countByWorker(lines) };
}

function countByWorker(lines: readonly AuditLine[]): AuditTotals["workers"] {
	const counts = new Map<string, number>();
	for (const { parts } of lines) for (const { worker } of parts) counts.set(worker, (counts.get(worker) ?? 0) + 1);
	return Object.fromEntries(counts);
}
