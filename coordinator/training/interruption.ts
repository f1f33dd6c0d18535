import { TailtuneError } from "../../shared/errors.ts";
import { shellWord } from "../format.ts";
import type { RunContext } from "./run-context.ts";

/** Throws TailtuneError "interrupted", with the command that resumes the run, if the user has asked the run to stop. */
export function assertNotInterrupted({ interrupt, folder }: Pick<RunContext, "interrupt" | "folder">): void {
	if (interrupt.aborted) throw interruption(folder);
}

/** Returns the error of a run that the user has stopped. */
export function interruption(folder: string): TailtuneError {
	return new TailtuneError("interrupted", `stopped; to resume: npx tailtune train --resume ${shellWord(folder)}`);
}
