import { inspect } from "node:util";
import { cutMessage, TailtuneError } from "../../shared/errors.ts";
import { printable } from "../../shared/printable.ts";
import { hideBars } from "./bar.ts";

export interface PrintErrorOptions {
	/** Whether to print a JSON object, { error: { code, message } }, instead of a line. */
	readonly json?: boolean | undefined;
	/** Whether to print the stack and the causes. */
	readonly debug?: boolean | undefined;
	/** Default: stderr. */
	readonly stream?: NodeJS.WritableStream | undefined;
}

/** Prints an error as one line, `tailtune: MESSAGE`; line breaks in the message are replaced. */
export function printError(error: unknown, { json, debug, stream = process.stderr }: PrintErrorOptions = {}): void {
	hideBars();
	const message = messageOf(error);
	const stack = debug ? inspect(error) : undefined;
	if (json) {
		const code = error instanceof TailtuneError ? error.code : "internal";
		stream.write(`${JSON.stringify({ error: { code, message, stack } })}\n`);
		return;
	}
	stream.write(`tailtune: ${printable(message)}\n`);
	if (stack) stream.write(`${stack.split("\n").map(printable).join("\n")}\n`);
}

function messageOf(error: unknown): string {
	if (error instanceof TailtuneError) return error.message;
	const message = error instanceof Error ? error.message : String(error);
	return cutMessage(`unexpected error (--debug prints the stack): ${message}`);
}
