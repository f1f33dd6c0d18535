import { planPreparation } from "../plan/plan-preparation.ts";
import { assertNotInterrupted } from "./interruption.ts";
import type { RunContext } from "./run-context.ts";
import { toWorkItem } from "./work-items.ts";

/**
 * Makes the workers compute the features of every distinct text, in groups of similar length. Training would compute
 * each text when it is first used; in groups it is faster, and progress can be shown.
 */
export async function prepareFeatures(run: RunContext): Promise<void> {
	if (run.frozenBlocks === 0) return;
	const parts = planPreparation(run.texts.planned, run.texts.padding);
	const items = parts.map((part) => toWorkItem(run, "WORK_KIND_PREPARE", 0, part));
	const tokensOf = items.map(({ sequences }) => sequences.reduce((sum, { tokens }) => sum + tokens.length, 0));
	const total = tokensOf.reduce((sum, tokens) => sum + tokens, 0);
	if (total === 0) return;
	const progress = run.events.phase("features", total, "tokens");
	let next = 0;
	for await (const _ of run.cluster.dispatcher.execute(items)) {
		progress.advance(tokensOf[next++] ?? 0);
		assertNotInterrupted(run);
	}
	progress.done();
}
