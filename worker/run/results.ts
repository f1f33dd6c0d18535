import { cutMessage, type ErrorCode, TailtuneError } from "../../shared/errors.ts";
import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import type { WorkItem } from "../../shared/messages.ts";

/** Codes of errors of the item or the run itself: every other worker would fail too. */
const OF_ITEM: ReadonlySet<string> = new Set<ErrorCode>(["diverged", "protocol", "data", "usage"]);

/** Whether an error during an item is the worker's fault, not the item's. */
export function isOfWorker(error: unknown): boolean {
	return !(error instanceof TailtuneError && OF_ITEM.has(error.code));
}

/**
 * Creates the answer to an item that failed, with the error's code ("engine" if it isn't a TailtuneError) and first
 * line.
 * @param ofWorker whether it is the worker's fault, not the item's
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
