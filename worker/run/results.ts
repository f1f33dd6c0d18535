import { cutMessage, type ErrorCode, TailtuneError } from "../../shared/errors.ts";
import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import type { WorkItem } from "../../shared/messages.ts";

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
export function failureAnswer(
	{ runId, serial }: WorkItem,
	workerId: string,
	error: unknown,
	ofWorker: boolean,
): Answer {
	const code = error instanceof TailtuneError ? error.code : "engine";
	const [message = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
	const nothing = { trunkSequences: 0, trunkTokens: 0, trunkEngine: "", tailEngine: "" };
	const failure = { code, message: cutMessage(message), ofWorker, fault: 0 };
	return { result: { runId, serial, workerId, ...nothing, failure }, logits: [] };
}
