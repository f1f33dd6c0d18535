import { TailtuneError } from "../../shared/errors.ts";
import { shellWord } from "../format.ts";
import type { RunContext } from "./run-context.ts";

/** Checks that the user hasn't stopped the run. @throws TailtuneError "interrupted" with the command that resumes it */
export function assertNotInterrupted({ interrupt, folder }: Pick<RunContext, "interrupt" | "folder">): void {
	if (interrupt.aborted) throw createInterruption(folder);
}

/** A run ended with a checkpoint after the epochs of `pauseAfter`. */
export class PausedRun extends TailtuneError {
	constructor() {
		super("interrupted", "paused");
	}
}

/** Creates the error of a run that the user has stopped. */
export function createInterruption(folder: string): TailtuneError {
	return new TailtuneError("interrupted", `stopped; to resume: npx tailtune train --resume ${shellWord(folder)}`);
}
