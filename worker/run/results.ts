import { cutMessage, type ErrorCode, TailtuneError } from "../../shared/errors.ts";
import type { WorkItem, WorkResult } from "../../shared/messages.ts";

type Name = Pick<WorkResult, "runId" | "kind" | "step" | "part" | "shard" | "parameterVersion">;

/** What a result has in common with its item. */
export function nameOf({ runId, kind, step, part, shard, parameterVersion }: WorkItem): Name {
	return { runId, kind, step, part, shard, parameterVersion };
}

/** What is wrong with the item or the run itself: no other worker could do it either. */
const OF_ITEM: ReadonlySet<string> = new Set<ErrorCode>(["diverged", "protocol", "data", "usage"]);

/** Whether an error met while doing an item is the worker's own fault. */
export function isOfWorker(error: unknown): boolean {
	return !(error instanceof TailtuneError && OF_ITEM.has(error.code));
}

/**
 * The answer to an item that could not be done: the error's code, "engine" for one that isn't ours, and its first line.
 * @param ofWorker whether the worker is to blame, and not the item
 */
export function failureResult(item: WorkItem, workerId: string, error: unknown, ofWorker: boolean): WorkResult {
	const code = error instanceof TailtuneError ? error.code : "engine";
	const [message = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
	const nothing = { logits: [], trunkSequences: 0, trunkTokens: 0, trunkEngine: "", tailEngine: "" };
	const failure = { code, message: cutMessage(message), ofWorker, fault: 0 };
	return { ...nameOf(item), workerId, ...nothing, failure };
}
