import { describeWordBaseline } from "../baseline/describe-baseline.ts";
import {
	formatCorrelation,
	formatCorrelationInterval,
	formatCount,
	formatLoss,
	formatPercent,
	formatSeconds,
	formatShareInterval,
} from "../format.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import type { RunResult } from "../run-folder/result.ts";
import { shortLabel } from "../short-label.js";
import { type Html, html } from "./html.ts";

/** Renders the test accuracy with its interval, the baselines, one sentence that compares them, and other scores. */
export function headlineSection(result: RunResult): Html {
	const { accuracy, intervals, texts } = result;
	const remarks = [describeVerdict(result), ...describeWordBaseline(result).slice(1).map(toSentence)];
	return html`<section aria-labelledby="accuracy"><h2 id="accuracy">Test accuracy</h2>
<p class="headline"><strong>${formatPercent(accuracy.test)}</strong>
<span>of ${formatCount(texts.test)} test texts. With this number of texts, the accuracy on similar texts is
${formatShareInterval(intervals.accuracy)} (95 % confidence interval).</span></p>
${comparisonTable(result)}
<p class="verdict">${remarks.join(" ").replaceAll(" %", "\u00a0%")}</p>
<p class="note">${describeOverlap(result)}</p>
${scoresList(result)}</section>`;
}

/** Describes in a sentence whether the model's accuracy is above that of the better baseline. */
function describeVerdict({ accuracy, intervals, majorityBaseline, wordBaseline }: RunResult): string {
	const isWords = wordBaseline !== null && wordBaseline.accuracy >= majorityBaseline.accuracy;
	const best = isWords ? wordBaseline.accuracy : majorityBaseline.accuracy;
	const name = isWords ? "a logistic regression on words" : "always answering the most frequent label";
	const baselines = wordBaseline === null ? "the baseline" : "both baselines";
	const reached = `${name} reaches ${formatPercent(best)}`;
	const better = wordBaseline === null ? "the baseline" : "the better baseline";
	if (accuracy.test <= best) return `The tuned model doesn’t beat ${better}: ${reached}.`;
	const isSure = intervals.accuracy !== null && intervals.accuracy[0] > best;
	if (isSure) return `The tuned model beats ${baselines}: ${reached}, which is below the interval.`;
	return `The tuned model is ahead of ${baselines}, but perhaps by chance: ${reached}, which is inside the interval.`;
}

function comparisonTable(result: RunResult): Html {
	const { accuracy, macroF1, intervals, majorityBaseline, wordBaseline } = result;
	const { label } = majorityBaseline;
	const always = html`Always ${label === "" ? "no label" : html`“<bdi>${shortLabel(label)}</bdi>”`}`;
	const words = "Logistic regression on words (TF-IDF)";
	return html`<table class="bars"><caption>Compared with simpler methods</caption>
<thead><tr><th scope="col">method</th><td></td><th scope="col">accuracy</th><th scope="col">macro F1</th></tr></thead><tbody>
${comparisonRow("Tuned model", { accuracy: accuracy.test, macroF1: macroF1.test }, intervals.accuracy)}
${wordBaseline !== null && comparisonRow(words, wordBaseline)}
${comparisonRow(always, { accuracy: majorityBaseline.accuracy })}</tbody></table>`;
}

/** @param interval drawn on the bar of the tuned model; undefined: a baseline */
function comparisonRow(
	name: Html | string,
	{ accuracy, macroF1 }: { readonly accuracy: number; readonly macroF1?: number },
	interval?: readonly [number, number] | null,
): Html {
	const [from, to] = interval ?? [0, 0];
	const whisker = interval && html`<b style="left:${100 * from}%;width:${100 * (to - from)}%"></b>`;
	return html`<tr class="${interval !== undefined && "own"}"><th scope="row">${name}</th>
<td class="bar" aria-hidden="true"><span><i style="width:${100 * accuracy}%"></i>${whisker ?? undefined}</span></td>
<td>${formatPercent(accuracy)}</td><td>${macroF1 === undefined ? "–" : formatPercent(macroF1)}</td></tr>`;
}

function scoresList({ accuracy, macroF1, balancedAccuracy, mcc, intervals, loss, seconds, kept }: RunResult): Html {
	const scores: [string, string, string?][] = [
		["Macro F1", formatPercent(macroF1.test), formatShareInterval(intervals.macroF1)],
		["Balanced accuracy", formatPercent(balancedAccuracy.test), formatShareInterval(intervals.balancedAccuracy)],
		["MCC", formatCorrelation(mcc.test), formatCorrelationInterval(intervals.mcc)],
		["Test loss", formatLoss(loss.test)],
		["Training accuracy", formatPercent(accuracy.train)],
		["Validation accuracy", formatPercent(accuracy.validation)],
		[`Epoch kept (${kept.reason === "best" ? `best ${METRIC_NAMES[kept.metric]}` : "last"})`, String(kept.epoch)],
		["Total time", formatSeconds(seconds.total)],
	];
	const entries = scores.map(
		([name, value, interval]) =>
			html`<div><dt>${name}</dt><dd>${value}${interval !== undefined && html` <small>${interval}</small>`}</dd></div>`,
	);
	return html`<dl class="figures">${entries}</dl>`;
}

function toSentence(text: string): string {
	return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function describeOverlap({ testTextsAlsoInTraining: overlap, texts }: RunResult): string {
	if (overlap === 0) return "No test text also occurs in training.";
	const share = formatPercent(overlap / texts.test);
	return `${formatCount(overlap)} of the ${formatCount(texts.test)} test texts (${share}) also occur in training, exactly equal; the model may have memorized their labels.`;
}
