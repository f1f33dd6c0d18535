import { formatCount, formatPercent } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { shortLabel } from "../short-label.js";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";

/** With more classes than this, a cell shows only its count, and columns have numbers instead of names. */
const MOST_WITH_SHARES = 6;
/** With more classes than this, the matrix is folded away. */
const MOST_OPEN = 20;
/** With more classes than this, there is no matrix: it would have more than 14,400 cells. */
const MOST_CLASSES = 120;

/** Renders the confusion matrix. @returns undefined if there is none, or if it has too many classes */
export function matrixTable({ labels, confusion }: RunResult): Html | undefined {
	if (confusion.length === 0 || labels.length > MOST_CLASSES) return undefined;
	const isDense = labels.length > MOST_WITH_SHARES;
	const names = labels.map(shortLabel);
	const head = names.map((name, i) =>
		isDense
			? html`<th scope="col" title="${name}" aria-label="${name}">${i + 1}</th>`
			: html`<th scope="col"><bdi>${name}</bdi></th>`,
	);
	const rows = confusion.map(
		(counts, row) =>
			html`<tr><th scope="row">${isDense && html`<small>${row + 1}</small> `}<bdi>${names[row]}</bdi></th>${cells(counts, row, isDense)}</tr>`,
	);
	const table = html`<table class="matrix${isDense && " dense"}"><caption>Confusion matrix</caption>
<thead><tr><td></td>${head}</tr></thead><tbody>${rows}</tbody></table>`;
	const matrix = html`<div>${scrollBox("Confusion matrix", table)}
<p class="note">Test texts by true class (rows) and predicted class (columns${isDense && ", by the numbers of the rows"})${!isDense && ", with the share of the row"}.</p></div>`;
	if (labels.length <= MOST_OPEN) return matrix;
	return html`<details><summary>Confusion matrix of all ${labels.length} classes</summary>${matrix}</details>`;
}

function cells(counts: readonly number[], row: number, isDense: boolean): Html[] {
	const sum = counts.reduce((total, count) => total + count, 0);
	return counts.map((count, column) => {
		if (count === 0 && isDense) return html`<td></td>`;
		const share = sum === 0 ? 0 : count / sum;
		const kind = count === 0 ? "none" : column === row ? "right" : "wrong";
		const percent = !isDense && sum > 0 && html`<small>${formatPercent(share)}</small>`;
		const pair = kind === "wrong" && html` data-pair="${row}-${column}"`;
		return html`<td class="${kind}" style="--share:${share.toFixed(3)}"${pair}><b>${formatCount(count)}</b>${percent}</td>`;
	});
}
