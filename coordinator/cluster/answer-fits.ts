import { itemKey, type WorkItem, type WorkKind, type WorkResult } from "../../shared/messages.ts";

/** Kinds whose answer comes after a gradient, or the changes of local steps, was handed in. */
const WITH_GRADIENT: ReadonlySet<WorkKind> = new Set(["WORK_KIND_GRADIENT", "WORK_KIND_LOCAL_STEPS"]);
/** Kinds answered with logits of every sequence. */
const WITH_LOGITS: ReadonlySet<WorkKind> = new Set([...WITH_GRADIENT, "WORK_KIND_EVALUATE", "WORK_KIND_CLASSIFY"]);

/** What answers of a run are held against. */
export interface Expectation {
	readonly classes: number;
	/** Whether a gradient was handed in under an item's key. */
	readonly hasGradient: (itemKey: string) => boolean;
}

/** Whether an answer has all that its item asks for; a worker whose numbers aren't finite says so instead. */
export function answerFits(result: WorkResult, item: WorkItem, { classes, hasGradient }: Expectation): boolean {
	if (result.failure || !WITH_LOGITS.has(item.kind)) return true;
	if (WITH_GRADIENT.has(item.kind) && !hasGradient(itemKey(result))) return false;
	const { logits } = result;
	return logits.length === item.sequences.length * classes && logits.every(Number.isFinite);
}
