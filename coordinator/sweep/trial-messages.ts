import { type ErrorCode, TailtuneError } from "../../shared/errors.ts";
import type { RunEvent } from "../events/schemas.ts";
import { PausedRun } from "../training/interruption.ts";
import type { TrialJob } from "./trial-job.ts";
import type { TrialNeeds, TrialShare } from "./trial-shares.ts";

/** Messages from a sweep to a process that trains its trials. */
export type ToTrial =
	| { readonly kind: "job"; readonly job: TrialJob; readonly commandLine: readonly string[] }
	/** The texts are those of the other trials, unless there is an error. */
	| { readonly kind: "texts"; readonly error?: SentError }
	| { readonly kind: "begin"; readonly share: TrialShare };

/** Messages from such a process. It waits for the answer to `texts` and `begin`. */
export type FromTrial =
	| { readonly kind: "event"; readonly event: RunEvent }
	| { readonly kind: "texts"; readonly hash: string }
	| { readonly kind: "begin"; readonly needs: TrialNeeds }
	/** The features of all texts are in the cache. */
	| { readonly kind: "prepared" }
	| { readonly kind: "ended"; readonly error?: SentError };

/** An error as a message: a copy would lose its class. */
export interface SentError {
	readonly code: ErrorCode | "paused" | "internal";
	readonly message: string;
	readonly stack: string | undefined;
}

/** Converts an error to a message. */
export function encodeError(error: unknown): SentError {
	const { message, stack } = error instanceof Error ? error : new Error(String(error));
	if (error instanceof PausedRun) return { code: "paused", message, stack };
	return { code: error instanceof TailtuneError ? error.code : "internal", message, stack };
}

/** Returns the error of a message. */
export function decodeError({ code, message, stack }: SentError): Error {
	if (code === "paused") return new PausedRun();
	const error = code === "internal" ? new Error(message) : new TailtuneError(code, message);
	if (stack !== undefined) error.stack = stack;
	return error;
}
