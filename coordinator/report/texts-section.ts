import type { TestDetails } from "../run-folder/test-details.ts";
import { type Html, html } from "./html.ts";
import { shownText } from "./shown-text.ts";

/** Mistakes that are shown here; more are in the list of confusions. */
const MOST_SHOWN = 10;

/** Renders the worst mistakes and the most uncertain texts of the test set, with the words that mattered. */
export function textsSection({ mistakes, uncertain }: TestDetails): Html {
	const isExplained = [...mistakes, ...uncertain].some(({ pieces }) =>
		pieces.some(({ change }) => change !== undefined),
	);
	const worst = mistakes.slice(0, MOST_SHOWN);
	return html`<section aria-labelledby="texts"><h2 id="texts">Texts to look at</h2>
${
	isExplained &&
	html`<p class="note">Each word of some texts was removed in turn. <mark class="for" style="--share:1">Blue</mark> words support the prediction: without them its
probability is lower. <mark class="against" style="--share:1">Orange</mark> words speak against it. Strong colours are relative to the strongest word of a text.</p>`
}
<div class="columns">
<div><h3>Worst mistakes</h3>${worst.length === 0 ? html`<p class="note">Every test text was predicted right.</p>` : html`<ol class="texts">${worst.map(shownText)}</ol>`}</div>
<div><h3>Most uncertain</h3><ol class="texts">${uncertain.map(shownText)}</ol></div></div></section>`;
}
