import pRetry from "p-retry";
import { TailtuneError } from "../errors.ts";
import { Refusal } from "./refusal.ts";

const RETRIES = 5;
const FIRST_WAIT_MS = 100;

/** Does a call again, up to 5 times within about 3 s, where the other side can't be reached or has too much to do. */
export function retryCall<Result>(call: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
	return pRetry(call, {
		retries: RETRIES,
		minTimeout: FIRST_WAIT_MS,
		shouldRetry: ({ error }) => {
			if (error instanceof Refusal) return error.reason === "REFUSAL_TOO_MANY";
			return error instanceof TailtuneError && error.code === "offline";
		},
		...(signal ? { signal } : {}),
	});
}
