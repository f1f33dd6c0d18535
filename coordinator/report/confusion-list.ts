import { formatCount, formatPercent } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { shortLabel } from "../short-label.js";
import { type Html, html } from "./html.ts";

/** Pairs that are shown, and pairs that are folded away after them. */
const MOST_SHOWN = 10;
const MOST_FOLDED = 190;

/** A number of test texts of one class that were predicted as another one. */
interface Confusion {
	readonly own: number;
	readonly predicted: number;
	readonly texts: number;
	/** Share of the texts of the true class. */
	readonly share: number;
}

/**
 * Renders the most frequent confusions of two classes, each with its texts folded away.
 * @param textsOf renders some texts of one class that were predicted as another one; undefined: there are none
 * @returns undefined if no text was confused
 */
export function confusionList(
	{ labels, confusion }: RunResult,
	textsOf: (own: string, predicted: string) => Html | undefined,
): Html | undefined {
	const pairs = listConfusions(confusion);
	if (pairs.length === 0) return undefined;
	const items = pairs.slice(0, MOST_SHOWN + MOST_FOLDED).map((pair) => renderPair(pair, labels, textsOf));
	const folded = items.slice(MOST_SHOWN);
	const rest = pairs.length - items.length;
	return html`<div class="confusions"><h3>Most frequent confusions</h3><ol>${items.slice(0, MOST_SHOWN)}</ol>
${folded.length > 0 && html`<details><summary>${folded.length} more</summary><ol start="${MOST_SHOWN + 1}">${folded}</ol></details>`}
${rest > 0 && html`<p class="note">${formatCount(rest)} rarer pairs are left out.</p>`}</div>`;
}

function listConfusions(confusion: readonly (readonly number[])[]): Confusion[] {
	const pairs = confusion.flatMap((counts, own) => {
		const sum = counts.reduce((total, count) => total + count, 0);
		const wrong = counts.map((texts, predicted) => ({ own, predicted, texts, share: texts / (sum || 1) }));
		return wrong.filter(({ texts, predicted }) => texts > 0 && predicted !== own);
	});
	return pairs.sort((a, b) => b.texts - a.texts || b.share - a.share);
}

function renderPair(
	{ own, predicted, texts, share }: Confusion,
	labels: readonly string[],
	textsOf: (own: string, predicted: string) => Html | undefined,
): Html {
	const [from = "", to = ""] = [labels[own], labels[predicted]];
	const names = html`<bdi>${shortLabel(from)}</bdi> <span class="arrow">predicted as</span> <bdi>${shortLabel(to)}</bdi>`;
	const line = html`<span>${names}</span> <b>${formatCount(texts)}</b> <small>${formatPercent(share)}</small>`;
	const content = textsOf(from, to);
	if (!content) return html`<li><div class="pair">${line}</div></li>`;
	return html`<li><details id="pair-${own}-${predicted}"><summary class="pair">${line}</summary>${content}</details></li>`;
}
