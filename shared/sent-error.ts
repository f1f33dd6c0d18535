import { TailtuneError } from "./errors.ts";

/** An error as sent between threads or processes: cloning would lose its class and its code. */
export interface SentError {
	/** Undefined if it isn't a TailtuneError. */
	readonly code: TailtuneError["code"] | undefined;
	readonly message: string;
	readonly stack: string | undefined;
}

/** Converts an error for sending. */
export function toSentError(error: unknown): SentError {
	const code = error instanceof TailtuneError ? error.code : undefined;
	const { message, stack } = error instanceof Error ? error : new Error(String(error));
	return { code, message, stack };
}

/** Converts a sent error back, with the stack that it had there. */
export function fromSentError({ code, message, stack }: SentError): Error {
	const error = code === undefined ? new Error(message) : new TailtuneError(code, message);
	if (stack !== undefined) error.stack = stack;
	return error;
}
