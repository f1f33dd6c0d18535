import { TailtuneError } from "../shared/errors.ts";
import type { WorkItem, WorkResult } from "../shared/messages.ts";

type Name = Pick<WorkResult, "runId" | "kind" | "step" | "part" | "shard" | "parameterVersion">;

/** What a result has in common with its item. */
export function nameOf({ runId, kind, step, part, shard, parameterVersion }: WorkItem): Name {
	return { runId, kind, step, part, shard, parameterVersion };
}

/** The answer to an item that could not be done: the error's code, "engine" for one that isn't ours, and its first line. */
export function failureResult(item: WorkItem, workerId: string, error: unknown): WorkResult {
	const code = error instanceof TailtuneError ? error.code : "engine";
	const [message = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
	const nothing = { logits: [], trunkSequences: 0, trunkTokens: 0, trunkEngine: "", tailEngine: "" };
	return { ...nameOf(item), workerId, ...nothing, failure: { code, message } };
}
