import { listOperatingPoints } from "../metrics/precision-recall.ts";
import { nameLabels } from "../metrics/probabilities.ts";
import { type LabelRule, scoringOf } from "../metrics/scoring.ts";
import type { ShownText, TestDetails } from "../run-folder/test-details.ts";
import { type ChosenText, chooseTestTexts, MOST_EXPLAINED } from "./choose-test-texts.ts";
import type { Evaluation, VersionedState } from "./evaluator.ts";
import { type ExplainedSpan, explainTexts } from "./explain-texts.ts";
import type { RunContext } from "./run-context.ts";
import type { RunTexts } from "./run-texts.ts";

/** Classes with a precision-recall curve, and points of a curve. */
const MOST_CURVES = 100;
const MOST_POINTS = 100;
/** Most characters of a text: of one whose words were examined, and of another one. */
const LONGEST_EXPLAINED = 1000;
const LONGEST_OTHER = 400;
/** Probabilities that are listed for a text. */
const MOST_PROBABILITIES = 5;

/**
 * Collects the details of the test set for the report: precision-recall curves, the worst mistakes, the most uncertain
 * texts, and the words that mattered for their predictions.
 * @param evaluation of the test texts, with the rule
 * @throws TailtuneError "interrupted" as soon as the user stops the run
 */
export async function describeTestSet(
	run: RunContext,
	state: VersionedState,
	evaluation: Evaluation,
	rule: LabelRule,
): Promise<TestDetails> {
	const { texts } = run;
	const { mistakes, uncertain } = chooseTestTexts(texts, evaluation, rule);
	// In turn, so that both lists get their share of the budget.
	const inTurn = Array.from({ length: MOST_EXPLAINED }, (_, i) => [mistakes[i], uncertain[i]]).flat();
	const chosen = inTurn.filter((text) => text !== undefined);
	const explained = await explainTexts(run, state, chosen, scoringOf(rule).predict);
	const show = (text: ChosenText) => showText(texts, evaluation, text, explained.get(text.id));
	return {
		curves: listCurves(texts, evaluation, rule),
		mistakes: mistakes.map(show),
		uncertain: uncertain.map(show),
	};
}

function listCurves(texts: RunTexts, evaluation: Evaluation, { thresholds }: LabelRule): TestDetails["curves"] {
	const { test, labels, labelsOf } = texts;
	const counts = labels.map(() => 0);
	for (const id of test) for (const label of labelsOf(id)) counts[label] = (counts[label] ?? 0) + 1;
	const largest = [...labels.keys()].sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0)).slice(0, MOST_CURVES);
	const kept = largest.filter((label) => counts[label]).sort((a, b) => a - b);
	const columns = kept.map(() => new Float64Array(test.length));
	for (const [row, id] of test.entries()) {
		const { probabilities } = evaluation.predict(id);
		for (const [column, label] of kept.entries()) (columns[column] as Float64Array)[row] = probabilities[label] ?? 0;
	}
	return kept.map((label, column) => {
		const belongs = test.map((id) => labelsOf(id).includes(label));
		const points = listOperatingPoints(columns[column] as Float64Array, belongs, MOST_POINTS);
		return {
			label: labels[label] ?? "",
			texts: counts[label] ?? 0,
			start: thresholds[label] ?? 0.5,
			points: points.map(({ threshold, flagged, right }) => [threshold, flagged, right]),
		};
	});
}

function showText(
	{ labels, labelsOf, details }: RunTexts,
	evaluation: Evaluation,
	{ id, about }: ChosenText,
	spans: readonly ExplainedSpan[] | undefined,
): ShownText {
	const { text = "", source = "" } = details[id] ?? {};
	const { labels: predicted, probabilities } = evaluation.predict(id);
	const largest = [...labels.keys()].sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
	const most = spans ? LONGEST_EXPLAINED : LONGEST_OTHER;
	return {
		source,
		pieces: divideAt(text, spans ?? [], most),
		cut: text.length > most,
		label: nameLabels(labels, labelsOf(id)),
		predicted: nameLabels(labels, predicted),
		about: labels[about] ?? "",
		probability: probabilities[about] ?? 0,
		probabilities: largest
			.slice(0, MOST_PROBABILITIES)
			.map((label) => ({ label: labels[label] ?? "", probability: probabilities[label] ?? 0 })),
	};
}

/** Divides the first `most` characters of a text at the borders of its parts. */
function divideAt(text: string, spans: readonly ExplainedSpan[], most: number): ShownText["pieces"] {
	const shown = text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "");
	const inside = spans.filter(({ start }) => start < shown.length);
	const pieces: ShownText["pieces"] = [];
	let from = 0;
	for (const { start, end, change } of inside) {
		pieces.push({ text: shown.slice(from, start) }, { text: shown.slice(start, end), change });
		from = end;
	}
	return [...pieces, { text: shown.slice(from) }].filter((piece) => piece.text !== "");
}
