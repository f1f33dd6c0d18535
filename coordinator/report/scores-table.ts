import { formatCount, formatPercent, formatShare, formatShareInterval } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { shortLabel } from "../short-label.js";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";

/** With more classes than this, the table is scrolled in a box of limited height. */
const LONG_TABLE = 20;

/** Renders the scores of each class in a table that the page's script makes sortable. */
export function scoresTable(result: RunResult): Html {
	const { perClass, bestThresholds } = result;
	const rows = perClass.map(
		(of, label) => html`<tr><th scope="row"><bdi>${shortLabel(of.label)}</bdi></th>
<td>${withInterval(of.precision, of.precisionInterval)}</td><td>${withInterval(of.recall, of.recallInterval)}</td>
<td>${withInterval(of.f1, of.f1Interval)}</td><td>${formatShare(of.averagePrecision)}</td><td>${formatShare(of.rocAuc)}</td>
<td>${formatShare(bestThresholds[label] ?? null)}</td><td>${formatCount(of.support)}</td></tr>`,
	);
	const table = html`<table data-sortable><caption>Precision and recall</caption>
<thead><tr><th scope="col">class</th><th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th>
<th scope="col">average precision</th><th scope="col">ROC AUC</th><th scope="col">best threshold</th><th scope="col">texts</th></tr></thead>
<tbody>${rows}</tbody></table>`;
	return html`${labelsNote(result)}
<div class="scores">${scrollBox("Scores of each class", table, { isLong: perClass.length > LONG_TABLE })}
<details class="note"><summary>What these scores mean</summary><p>Precision: of the texts predicted as this class, the share that really belongs to it. Recall: of the texts of
this class, the share that was predicted as it. F1: the harmonic mean of both. Average precision: the mean precision over all
thresholds of the class’s probability. ROC AUC: the chance that a text of this class has a higher probability of it than a text of
another class. Best threshold: the probability with the best F1 on the validation texts if all texts above it, and no others, are
predicted as the class (--threshold). In small print: 95 % confidence intervals.</p></details></div>`;
}

/** Renders micro F1 if texts have several labels, and the thresholds of the predictions. */
function labelsNote({ multiLabel, labels, thresholds, intervals }: RunResult): Html | undefined {
	const several =
		multiLabel &&
		html`A text may have any number of labels. Micro F1 on the test texts: ${withInterval(multiLabel.microF1.test, intervals.microF1 ?? null)}. `;
	const from = thresholds.flatMap((threshold, i) =>
		threshold === null ? [] : [html`<bdi>${shortLabel(labels[i] ?? "")}</bdi> ${formatPercent(threshold)} `],
	);
	if (!several && from.length === 0) return undefined;
	return html`<p class="note">${several}A label is predicted from this probability on: ${from}</p>`;
}

function withInterval(share: number | null, interval: readonly [number, number] | null): Html {
	return html`${formatShare(share)}${interval !== null && html` <small>${formatShareInterval(interval)}</small>`}`;
}
