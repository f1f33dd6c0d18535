import { describeWordBaseline } from "../baseline/describe-baseline.ts";
import {
	formatBytes,
	formatCorrelation,
	formatCorrelationInterval,
	formatCount,
	formatLoss,
	formatPercent,
	formatSeconds,
	formatShareInterval,
} from "../format.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";

/** Renders the test accuracy, compared with the majority baseline, and the other scores with their intervals. */
export function headlineSection(result: RunResult): Html {
	const { accuracy, macroF1, balancedAccuracy, mcc, intervals, majorityBaseline, texts, loss, seconds, kept } = result;
	const baseline = formatPercent(majorityBaseline.accuracy);
	return html`<section aria-labelledby="accuracy"><h2 id="accuracy">Test accuracy</h2>
<p class="headline"><strong>${formatPercent(accuracy.test)}</strong>
<span>of ${formatCount(texts.test)} test texts. With this number of texts, the accuracy on similar texts is
${formatShareInterval(intervals.accuracy)} (95 % confidence interval).</span></p>
<div class="scale" aria-hidden="true"><i style="width:${accuracy.test * 100}%"></i><b style="left:${majorityBaseline.accuracy * 100}%"></b></div>
<p class="note">The mark on the bar is the baseline: always answering ${majorityBaseline.label === "" ? "no label" : html`“<bdi>${majorityBaseline.label}</bdi>”`} would reach ${baseline}.
${overlapNote(result)}</p>${describeWordBaseline(result).map((text) => html`<p class="note">${asSentence(text)}</p>`)}
<dl class="figures">${[
		["Macro F1", `${formatPercent(macroF1.test)} (${formatShareInterval(intervals.macroF1)})`],
		[
			"Balanced accuracy",
			`${formatPercent(balancedAccuracy.test)} (${formatShareInterval(intervals.balancedAccuracy)})`,
		],
		["MCC", `${formatCorrelation(mcc.test)} (${formatCorrelationInterval(intervals.mcc)})`],
		["Training accuracy", formatPercent(accuracy.train)],
		["Validation accuracy", formatPercent(accuracy.validation)],
		["Test loss", formatLoss(loss.test)],
		[`Epoch kept (${kept.reason === "best" ? `best ${METRIC_NAMES[kept.metric]}` : "last"})`, String(kept.epoch)],
		["Total time", formatSeconds(seconds.total)],
	].map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

function asSentence(text: string): string {
	return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function overlapNote({ testTextsAlsoInTraining: overlap, texts }: RunResult): string {
	if (overlap === 0) return "No test text also occurs in training.";
	const share = formatPercent(overlap / texts.test);
	return `${formatCount(overlap)} of the ${formatCount(texts.test)} test texts (${share}) also occur in training, exactly equal; the model may have memorized their labels.`;
}

/** Renders both curves and a table of their values. */
export function curvesSection(metrics: readonly MetricsLine[], stopped: RunResult["stopped"]): Html {
	const early = html`<p class="note">Training stopped early: the validation results no longer improved.</p>`;
	return html`<section aria-labelledby="curves"><h2 id="curves">Learning curves</h2>
${metrics.length === 0 ? html`<p class="note">No evaluation was recorded.</p>` : curves(metrics)}
${stopped === "early" && early}</section>`;
}

function curves(metrics: readonly MetricsLine[]): Html {
	return html`<div class="columns">
<figure><figcaption>Loss</figcaption><div data-chart="loss" role="img" aria-label="Loss by training texts seen; the values are in the table below"></div></figure>
<figure><figcaption>Accuracy</figcaption><div data-chart="accuracy" role="img" aria-label="Accuracy by training texts seen; the values are in the table below"></div></figure>
</div>
<details><summary>Values of the curves</summary><div class="scroll"><table>
<thead><tr><th scope="col">texts seen</th><th scope="col">step</th><th scope="col">epochs done</th><th scope="col">training loss</th>
<th scope="col">accuracy</th><th scope="col">validation loss</th><th scope="col">accuracy</th>
<th scope="col">macro F1</th><th scope="col">MCC</th></tr></thead>
<tbody>${metrics.map(curveRow)}</tbody></table></div></details>`;
}

function curveRow({ examplesSeen, step, epoch, kind, train, validation }: MetricsLine): Html {
	return html`<tr><td>${formatCount(examplesSeen)}</td><td>${formatCount(step)}</td><td>${kind === "epoch" ? epoch : "–"}</td>
<td>${formatLoss(train.loss)}</td><td>${formatPercent(train.accuracy)}</td>
<td>${formatLoss(validation.loss)}</td><td>${formatPercent(validation.accuracy)}</td>
<td>${formatPercent(validation.macroF1)}</td><td>${formatCorrelation(validation.mcc)}</td></tr>`;
}

/** Renders the seconds of each phase. */
export function timeSection({ seconds, textsPerSecond, stepMs, peakRssBytes }: RunResult): Html {
	const phases = (["load", "features", "training", "evaluation"] as const).map((name) => ({ name, of: seconds[name] }));
	return html`<section class="time" aria-labelledby="time"><h2 id="time">Time by phase</h2>
<div class="phases" aria-hidden="true">${phases.map(({ name, of }) => html`<i class="${name}" style="--seconds:${of}"></i>`)}</div>
<dl class="key">${phases.map(({ name, of }) => html`<div><dt><i class="${name}"></i>${name}</dt><dd>${formatSeconds(of)}</dd></div>`)}</dl>
<p class="note">Total: ${formatSeconds(seconds.total)}. Training processed ${formatCount(textsPerSecond)} texts per second, a step
took ${formatSeconds(stepMs / 1000)} (median), and the peak memory was ${formatBytes(peakRssBytes)}.</p></section>`;
}
