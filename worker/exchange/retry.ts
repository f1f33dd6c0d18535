import pRetry from "p-retry";
import { TailtuneError } from "../../shared/errors.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { SilenceError } from "../../shared/rpc/silence.ts";
import { CALL_RETRY_FIRST_MS } from "../deadlines.ts";

const RETRIES = 5;
/**
 * Repeats a failed call up to 5 times within about 3 s if the server can't be reached or has too many requests. A
 * silent server isn't called again, because that would take too long.
 */
export function retryCall<Result>(call: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
	return pRetry(call, {
		retries: RETRIES,
		minTimeout: CALL_RETRY_FIRST_MS,
		shouldRetry: ({ error }) => maySucceedSoon(error),
		...(signal ? { signal } : {}),
	});
}

/** Whether the same call may succeed soon. */
export function maySucceedSoon(error: unknown): boolean {
	if (error instanceof SilenceError) return false;
	if (error instanceof Refusal) return error.reason === "REFUSAL_TOO_MANY";
	return error instanceof TailtuneError && error.code === "offline";
}
