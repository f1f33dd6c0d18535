import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { comparisonLines } from "../terminal/comparison-lines.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";

/** `tailtune compare`: prints the settings, scores and predictions in which finished runs differ. */
export function addCompareCommand(program: Command): void {
	program
		.command("compare")
		.description("compare finished runs: settings that differ, scores, and texts that only one got right")
		.argument("<runs...>", "result folders of at least two runs; the others are compared with the first")
		.action(async (folders: readonly string[], _options: object, self: Command) => {
			if (folders.length < 2) throw new TailtuneError("usage", "runs: found 1, expected at least 2 result folders");
			const { compareRuns } = await import("../compare/compare-runs.ts");
			const comparison = await compareRuns(folders);
			if (self.optsWithGlobals<{ json?: boolean }>().json) writeJsonLine({ event: "comparison", ...comparison });
			else process.stdout.write(`${comparisonLines(comparison).join("\n")}\n`);
		});
}
