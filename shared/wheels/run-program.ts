import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PROGRAM_MS } from "../deadlines.ts";
import { systemCodeOf, TailtuneError } from "../errors.ts";

const execute = promisify(execFile);

export interface RunOptions {
	readonly cwd?: string;
	/** Default: the environment of this process. */
	readonly env?: NodeJS.ProcessEnv;
	/** Time after which the program is killed, in milliseconds. Default: 15 minutes. */
	readonly limitMs?: number;
}

/**
 * Runs a program and returns its standard output.
 * @throws TailtuneError "not-found" if there is no such program, "engine" with the line of the error if it fails
 */
export async function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
	try {
		const { stdout } = await execute(program, args, {
			maxBuffer: 64 << 20,
			timeout: options.limitMs ?? PROGRAM_MS,
			...(options.cwd !== undefined && { cwd: options.cwd }),
			...(options.env !== undefined && { env: options.env }),
		});
		return stdout;
	} catch (cause) {
		if (systemCodeOf(cause) === "ENOENT") throw new TailtuneError("not-found", `${program}: not installed`, { cause });
		const { stderr = "", message } = cause as Error & { stderr?: string };
		const lines = (stderr.trim() || message).split("\n");
		const reason = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
		throw new TailtuneError("engine", `${program} failed: ${reason}`, { cause });
	}
}
