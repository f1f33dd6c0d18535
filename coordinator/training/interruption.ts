import { TailtuneError } from "../../shared/errors.ts";
import { shellWord } from "../format.ts";
import type { RunContext } from "./run-context.ts";

/** Throws TailtuneError "interrupted", with the command that goes on, once the user has asked the run to stop. */
export function assertNotInterrupted({ interrupt, folder }: Pick<RunContext, "interrupt" | "folder">): void {
	if (interrupt.aborted) throw interruption(folder);
}

/** How a run that was asked to stop ends. */
export function interruption(folder: string): TailtuneError {
	return new TailtuneError("interrupted", `stopped; go on with: npx tailtune train --resume ${shellWord(folder)}`);
}
