import { computeWordBaseline, type LabelledTexts, type WordBaseline } from "../baseline/word-baseline.ts";
import { assertNotInterrupted } from "./interruption.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Scores a logistic regression on words on the sets of a run, so that users see if a tuned GPT-2 is worth its cost.
 * @returns null, with a line for people, if that would take too long
 * @throws TailtuneError "interrupted" if the user stops the run
 */
export async function evaluateWordBaseline(run: RunContext): Promise<WordBaseline | null> {
	const { texts, events } = run;
	const labelled = (ids: readonly number[]): LabelledTexts => ({
		texts: ids.map((id) => texts.details[id]?.text ?? ""),
		labels: ids.map((id) => texts.labelOf(id)),
	});
	const onTurn = () => assertNotInterrupted(run);
	const found = await computeWordBaseline(labelled(texts.train), labelled(texts.test), texts.classes, onTurn);
	if (typeof found !== "string") return found;
	events.line(`no comparison with a logistic regression on words: ${found}`);
	return null;
}
