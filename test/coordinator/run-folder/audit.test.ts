import test from "ava";
import { planEpoch } from "../../../coordinator/plan/plan-epoch.ts";
import { type AuditLine, checkAudit } from "../../../coordinator/run-folder/audit.ts";

const examples = Array.from({ length: 12 }, (_, id) => ({ id, tokens: Uint32Array.of(id), shard: id % 2 }));
const planned = planEpoch({ examples, batch: 4, accumulate: 1, seed: 1, epoch: 0, grouping: "none" });

/** Counts ids below 10 as texts, others as further windows. */
const count = (ids: readonly number[]) => ids.filter((id) => id < 10).length;

/** The audit of a run that followed its plan. */
const lines = (): AuditLine[] =>
	planned.map(({ parts }, index) => ({
		step: index + 1,
		parts: parts.map(({ part, shard, examples: { length } }) => ({ part, shard, examples: length, worker: "a" })),
	}));

test("an audit that follows the plan passes and is summed up; its texts are counted", (t) => {
	const audit = lines().map((line) => ({ ...line, ignored: { double: 2, stale: 1, stray: 0 } }));
	t.deepEqual(checkAudit(audit, planned, "audit.jsonl", count), {
		steps: 3,
		parts: 6,
		examples: 10,
		workers: { a: 6 },
		ignored: { double: 6, stale: 3, stray: 0 },
	});
});

const damages: Record<string, (audit: AuditLine[]) => AuditLine[]> = {
	"a missing step": (audit) => audit.slice(1),
	"a step counted twice": ([first, , third]) => [first, first, third] as AuditLine[],
	"a part counted twice": ([first, ...others]) => [
		{ ...first, parts: [...(first?.parts ?? []), first?.parts[0]] } as AuditLine,
		...others,
	],
	"a missing part": ([first, ...others]) => [{ ...first, parts: first?.parts.slice(1) } as AuditLine, ...others],
	"parts out of order": ([first, ...others]) => [
		{ ...first, parts: first?.parts.toReversed() } as AuditLine,
		...others,
	],
	"a part with fewer texts": ([first, ...others]) => [
		{ ...first, parts: first?.parts.map((part) => ({ ...part, examples: 1 })) } as AuditLine,
		...others,
	],
};

for (const [title, damage] of Object.entries(damages)) {
	test(`the audit fails for ${title}`, (t) => {
		t.throws(() => checkAudit(damage(lines()), planned, "audit.jsonl", count), {
			code: "protocol",
			message: /^audit\.jsonl(: 2 steps counted, planned 3| line \d: counted \[.*, planned \[.*)$/,
		});
	});
}
