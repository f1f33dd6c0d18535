import type { WorkItem, WorkKind, WorkResult } from "../../shared/messages.ts";

/** Kinds answered with logits of every sequence. */
const WITH_LOGITS: ReadonlySet<WorkKind> = new Set([
	"WORK_KIND_GRADIENT",
	"WORK_KIND_EVALUATE",
	"WORK_KIND_CLASSIFY",
	"WORK_KIND_LOCAL_STEPS",
]);

/** Whether an answer has the numbers that its item asks for; a worker whose numbers aren't finite says so instead. */
export function answerFits({ failure, logits }: WorkResult, { kind, sequences }: WorkItem, classes: number): boolean {
	if (failure || !WITH_LOGITS.has(kind)) return true;
	return logits.length === sequences.length * classes && logits.every(Number.isFinite);
}
