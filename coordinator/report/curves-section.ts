import { formatCorrelation, formatCount, formatLoss, formatPercent } from "../format.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";

/** Renders both curves and a table of their values. */
export function curvesSection(metrics: readonly MetricsLine[], stopped: RunResult["stopped"]): Html {
	const early = html`<p class="note">Training stopped early: the validation results no longer improved.</p>`;
	return html`<section aria-labelledby="curves"><h2 id="curves">Learning curves</h2>
${metrics.length === 0 ? html`<p class="note">No evaluation was recorded.</p>` : curves(metrics)}
${stopped === "early" && early}</section>`;
}

function curves(metrics: readonly MetricsLine[]): Html {
	const table = html`<table>
<thead><tr><th scope="col">texts seen</th><th scope="col">step</th><th scope="col">epochs done</th><th scope="col">training loss</th>
<th scope="col">accuracy</th><th scope="col">validation loss</th><th scope="col">accuracy</th>
<th scope="col">macro F1</th><th scope="col">MCC</th></tr></thead>
<tbody>${metrics.map(curveRow)}</tbody></table>`;
	return html`<div class="columns">
<figure><figcaption>Loss</figcaption><div data-chart="loss" role="img" aria-label="Loss by training texts seen; the values are in the table below"></div></figure>
<figure><figcaption>Accuracy</figcaption><div data-chart="accuracy" role="img" aria-label="Accuracy by training texts seen; the values are in the table below"></div></figure>
</div>
<details><summary>Values of the curves</summary>${scrollBox("Values of the curves", table, { isLong: true })}</details>`;
}

function curveRow({ examplesSeen, step, epoch, kind, train, validation }: MetricsLine): Html {
	return html`<tr><td>${formatCount(examplesSeen)}</td><td>${formatCount(step)}</td><td>${kind === "epoch" ? epoch : "–"}</td>
<td>${formatLoss(train.loss)}</td><td>${formatPercent(train.accuracy)}</td>
<td>${formatLoss(validation.loss)}</td><td>${formatPercent(validation.accuracy)}</td>
<td>${formatPercent(validation.macroF1)}</td><td>${formatCorrelation(validation.mcc)}</td></tr>`;
}
