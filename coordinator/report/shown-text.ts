import { formatPercent } from "../format.ts";
import type { ShownText } from "../run-folder/test-details.ts";
import { shortLabel } from "../short-label.js";
import { type Html, html } from "./html.ts";

/** A word doesn't matter if the probability changes by less than this without it. */
const LEAST_CHANGE = 0.005;
/** Most words that are listed below a text. */
const MOST_LISTED = 5;

/** Renders a text of the test set with its labels, its probabilities, and the words that mattered. */
export function shownText({ pieces, cut, label, predicted, probabilities, source, about }: ShownText): Html {
	const strongest = pieces.reduce((most, { change = 0 }) => Math.max(most, Math.abs(change)), 0);
	const all = probabilities.map((of) => html`<bdi>${shortLabel(of.label)}</bdi> ${formatPercent(of.probability)}`);
	return html`<li class="shown"><p class="text" dir="auto">${pieces.map((piece) => renderPiece(piece, strongest))}${cut && "…"}</p>
<p class="facts"><span>${nameOf(label)}${label !== predicted && html` <span class="arrow">predicted as</span> ${nameOf(predicted)}`}</span>
<span>${all.map((of, i) => html`${i > 0 && " · "}${of}`)}</span> <span>${source.slice(-80)}</span></p>
${wordsNote(pieces, about)}</li>`;
}

function nameOf(label: string): Html {
	return label === "" ? html`<i>no label</i>` : html`<strong><bdi>${shortLabel(label)}</bdi></strong>`;
}

function renderPiece({ text, change = 0 }: ShownText["pieces"][number], strongest: number): Html {
	if (Math.abs(change) < LEAST_CHANGE) return html`${text}`;
	const kind = change < 0 ? "for" : "against";
	return html`<mark class="${kind}" style="--share:${(Math.abs(change) / strongest).toFixed(2)}">${text}</mark>`;
}

/** Lists the words with the largest effects. @returns undefined if the words of this text were not examined */
function wordsNote(pieces: ShownText["pieces"], about: string): Html | undefined {
	const words = pieces.flatMap(({ text, change }) => (change === undefined ? [] : [{ text, change }]));
	if (words.length === 0) return undefined;
	const strong = words
		.filter(({ change }) => Math.abs(change) >= LEAST_CHANGE)
		.sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
		.slice(0, MOST_LISTED);
	const name = html`<bdi>${shortLabel(about)}</bdi>`;
	if (strong.length === 0) return html`<p class="words">No single word matters for ${name}.</p>`;
	const listed = strong.map(
		({ text, change }) =>
			html`<bdi>${shortLabel(text)}</bdi> ${change < 0 ? "−" : "+"}${(100 * Math.abs(change)).toFixed(1)}`,
	);
	return html`<p class="words">${name}, percentage points without: ${listed.map((word, i) => html`${i > 0 && ", "}${word}`)}</p>`;
}
