import { formatCount, formatPercent } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";

/**
 * Renders the calibration of probabilities: temperature, errors, reliability diagram and its values.
 * @returns undefined if texts have several labels
 */
export function calibrationSection({ calibration }: RunResult): Html | undefined {
	if (!calibration) return undefined;
	const { temperature, errorBefore, error, bins } = calibration;
	const rows = bins.flatMap(({ texts, confidence, accuracy }) =>
		texts > 0 && confidence !== null && accuracy !== null
			? [
					html`<tr><td>${formatPercent(confidence)}</td><td>${formatPercent(accuracy)}</td><td>${formatCount(texts)}</td></tr>`,
				]
			: [],
	);
	const table = html`<table>
<thead><tr><th scope="col">mean probability</th><th scope="col">right</th><th scope="col">texts</th></tr></thead>
<tbody>${rows}</tbody></table>`;
	return html`<section aria-labelledby="calibration"><h2 id="calibration">Probabilities</h2>
<p class="note">Logits are divided by the temperature ${temperature.toFixed(3)}, fitted on the validation set. The expected calibration
error on the test set, the mean difference of probability and share of right predictions, is ${formatPercent(error)};
without the temperature it is ${formatPercent(errorBefore)}. The head in
model/ is divided by it already, so classify, evaluate --out, serve, predictions.jsonl and exports use it; losses don’t.</p>
<figure class="reliability"><figcaption>Share of right test predictions (bars) by probability; the line is where both are equal</figcaption>${diagram(bins)}</figure>
<details><summary>Values of the diagram</summary>${scrollBox("Values of the diagram", table)}</details></section>`;
}

function diagram(bins: NonNullable<RunResult["calibration"]>["bins"]): Html {
	const width = 100 / bins.length;
	const bars = bins.flatMap(({ accuracy }, index) =>
		accuracy === null
			? []
			: [
					html`<rect x="${(index * width + 0.4).toFixed(2)}" y="${(100 - 100 * accuracy).toFixed(2)}" width="${(width - 0.8).toFixed(2)}" height="${(100 * accuracy).toFixed(2)}"/>`,
				],
	);
	return html`<svg viewBox="0 0 100 100" role="img" aria-label="Reliability diagram; the values are in the table below">${bars}<line x1="0" y1="100" x2="100" y2="0"/></svg>`;
}
