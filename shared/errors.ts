/** Every kind of error. Programs decide by the code; people read the message. */
export const ERROR_CODES = {
	usage: "a flag or a configuration key is wrong",
	data: "the data can't be used",
	model: "the model's files can't be used",
	"not-found": "a file, a folder or a name doesn't exist",
	offline: "the network is needed and can't be reached",
	checksum: "a file isn't the one expected",
	busy: "another process holds the run",
	diverged: "training gave numbers that aren't finite",
	disk: "a file can't be written",
	interrupted: "stopped by the user",
	protocol: "a message isn't one of ours or is out of place",
	denied: "a token or a certificate isn't accepted",
	engine: "an engine can't do what was asked",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Characters of a long message that are kept: its start, and its end, which often contains advice. */
const MOST_CHARACTERS = 1_200;
const AT_END = 300;

/**
 * The error class of the project. Its message is one line that names the file, row, field or flag, the value found and
 * the value expected; `cause` is the original error. The value found may be megabytes, so a long message is cut in the
 * middle.
 */
export class TailtuneError extends Error {
	override readonly name = "TailtuneError";
	readonly code: ErrorCode;

	constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
		super(cutMessage(message), options);
		this.code = code;
	}
}

/** Cuts a message to a few hundred characters. */
export function cutMessage(message: string): string {
	if (message.length <= MOST_CHARACTERS) return message;
	// Half a surrogate pair is left out.
	const start = message.slice(0, MOST_CHARACTERS - AT_END).replace(/[\ud800-\udbff]$/, "");
	const end = message.slice(-AT_END).replace(/^[\udc00-\udfff]/, "");
	return `${start} [... ${message.length - start.length - end.length} characters ...] ${end}`;
}

/** The exit codes of all commands. */
export const EXIT_CODES = {
	done: { code: 0, meaning: "the command did what was asked" },
	failed: { code: 1, meaning: "the command failed; one line on standard error says why" },
	usage: { code: 2, meaning: "a flag, an argument or a key of the configuration is wrong (error code `usage`)" },
	interrupted: {
		code: 130,
		meaning:
			"stopped by Ctrl-C, SIGTERM or `tailtune cancel` (error code `interrupted`); the message says how to resume",
	},
} as const;

/** The exit code of a command that failed with this error. */
export function exitCodeOf(error: unknown): number {
	const isListed = error instanceof TailtuneError && (error.code === "usage" || error.code === "interrupted");
	return EXIT_CODES[isListed ? (error.code as "usage" | "interrupted") : "failed"].code;
}

/** The `code` of a Node system error, for example "ENOENT"; otherwise undefined. */
export function systemCodeOf(error: unknown): string | undefined {
	if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
	return typeof error.code === "string" ? error.code : undefined;
}

/** Converts a received code; an unknown one counts as "protocol". */
export function toErrorCode(code: string): ErrorCode {
	return code in ERROR_CODES ? (code as ErrorCode) : "protocol";
}
