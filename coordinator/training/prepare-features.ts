import type { Phase } from "../events/run-events.ts";
import { planPreparation } from "../plan/plan-preparation.ts";
import { assertNotInterrupted } from "./interruption.ts";
import type { RunContext } from "./run-context.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { toWorkItem } from "./work-items.ts";

/**
 * Makes the workers compute the features of every distinct text, in groups of similar length. Training would compute
 * each text when it is first used; in groups it is faster, and progress can be shown.
 */
export async function prepareFeatures(run: RunContext, watch: Stopwatch): Promise<void> {
	const earlier = watch.seconds.features;
	const phase = await watch.time("features", () => computeFeatures(run));
	phase?.done(watch.seconds.features - earlier);
}

/** Returns the phase, which has no end yet; undefined if there is nothing to compute. */
async function computeFeatures(run: RunContext): Promise<Phase | undefined> {
	if (run.frozenBlocks === 0) return undefined;
	const parts = planPreparation(run.texts.planned, run.texts.padding);
	const items = parts.map((part) => toWorkItem(run, "WORK_KIND_PREPARE", 0, part));
	const tokensOf = items.map(({ sequences }) => sequences.reduce((sum, { tokens }) => sum + tokens.length, 0));
	const total = tokensOf.reduce((sum, tokens) => sum + tokens, 0);
	if (total === 0) return undefined;
	const progress = run.events.phase("features", total, "tokens");
	let next = 0;
	for await (const _ of run.cluster.dispatcher.execute(items)) {
		progress.advance(tokensOf[next++] ?? 0);
		assertNotInterrupted(run);
	}
	return progress;
}
