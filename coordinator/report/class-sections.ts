import { formatCount, formatPercent, formatShare, formatShareInterval } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";

/** With more classes than this, a cell shows only its count. */
const MAX_CLASSES_WITH_SHARES = 6;

/** Renders the results by class: confusion matrix, scores, numbers of texts. */
export function classesSection(result: RunResult): Html {
	const withShares = result.labels.length <= MAX_CLASSES_WITH_SHARES;
	return html`<section aria-labelledby="classes"><h2 id="classes">Results by class</h2>
<div class="columns${!withShares && " one"}">${result.confusion.length > 0 && confusionTable(result, withShares)}${textsTable(result)}</div>
${labelsNote(result)}${scoresTable(result)}</section>`;
}

/** Renders micro F1 and thresholds if texts have several labels. */
function labelsNote({ multiLabel, labels }: RunResult): Html | undefined {
	if (!multiLabel) return undefined;
	const { microF1, thresholds } = multiLabel;
	const from = thresholds.map((threshold, i) => html`<bdi>${labels[i]}</bdi> ${formatPercent(threshold)} `);
	return html`<p class="note">A text may have any number of labels. Micro F1 on the test texts: ${formatPercent(microF1.test)}. A label
is predicted from this probability on: ${from}</p>`;
}

/** Renders the number of texts of each class: read, in each set, not used and repeated. */
function textsTable({ classes }: RunResult): Html {
	const isRepeated = classes.some(({ repeats }) => repeats > 0);
	const columns = {
		...{ read: "read", train: "training", validation: "validation", test: "test", unused: "not used" },
		...(isRepeated && { repeats: "repeats" }),
	} as const;
	const keys = Object.keys(columns) as (keyof typeof columns)[];
	const rows = classes.map(
		(of) =>
			html`<tr><th scope="row"><bdi>${of.label}</bdi></th>${keys.map((key) => html`<td>${formatCount(of[key])}</td>`)}</tr>`,
	);
	const isBalanced = classes.some(({ unused }) => unused > 0);
	return html`<div><div class="scroll"><table><caption>Texts</caption>
<thead><tr><td></td>${keys.map((key) => html`<th scope="col">${columns[key]}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>
${isBalanced && html`<p class="note">Not used: --balance keeps as many texts of each class as the smallest class has.</p>`}
${isRepeated && html`<p class="note">Repeats: how often training texts of this class are repeated in an epoch (--balance oversample).</p>`}</div>`;
}

function confusionTable({ labels, confusion }: RunResult, withShares: boolean): Html {
	const head = labels.map((label) => html`<th scope="col"><bdi>${label}</bdi></th>`);
	const rows = confusion.map(
		(counts, row) => html`<tr><th scope="row"><bdi>${labels[row]}</bdi></th>${cells(counts, row, withShares)}</tr>`,
	);
	return html`<div><div class="scroll"><table class="matrix${!withShares && " dense"}"><caption>Confusion matrix</caption>
<thead><tr><td></td>${head}</tr></thead><tbody>${rows}</tbody></table></div>
<p class="note">Test texts by true class (rows) and predicted class (columns)${withShares && ", with the share of the row"}.</p></div>`;
}

function cells(counts: readonly number[], row: number, withShares: boolean): Html[] {
	const sum = counts.reduce((total, count) => total + count, 0);
	return counts.map((count, column) => {
		const share = sum === 0 ? 0 : count / sum;
		const kind = count === 0 ? "none" : column === row ? "right" : "wrong";
		const percent = withShares && sum > 0 && html`<small>${formatPercent(share)}</small>`;
		return html`<td class="${kind}" style="--share:${share.toFixed(3)}"><b>${formatCount(count)}</b>${percent}</td>`;
	});
}

function scoresTable({ perClass }: RunResult): Html {
	const rows = perClass.map(
		(of) => html`<tr><th scope="row"><bdi>${of.label}</bdi></th>
<td>${withInterval(of.precision, of.precisionInterval)}</td><td>${withInterval(of.recall, of.recallInterval)}</td>
<td>${withInterval(of.f1, of.f1Interval)}</td><td>${formatShare(of.averagePrecision)}</td><td>${formatShare(of.rocAuc)}</td>
<td>${formatCount(of.support)}</td></tr>`,
	);
	return html`<div class="scores"><div class="scroll"><table><caption>Precision and recall</caption>
<thead><tr><td></td><th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th>
<th scope="col">average precision</th><th scope="col">ROC AUC</th><th scope="col">texts</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="note">Precision: of the texts predicted as this class, the share that really belongs to it. Recall: of the texts of
this class, the share that was predicted as it. F1: the harmonic mean of both. Average precision: the mean precision over all
thresholds of the class’s probability. ROC AUC: the chance that a text of this class has a higher probability of it than a text of
another class. In small print: 95 % confidence intervals.</p></div>`;
}

function withInterval(share: number | null, interval: readonly [number, number] | null): Html {
	return html`${formatShare(share)}${interval !== null && html` <small>${formatShareInterval(interval)}</small>`}`;
}
