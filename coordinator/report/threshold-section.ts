import type { TestDetails } from "../run-folder/test-details.ts";
import { shortLabel } from "../short-label.js";
import { type Html, html, jsonScript } from "./html.ts";

/**
 * Renders the precision-recall curve of a class that can be chosen, with a slider for the threshold. The page's script
 * draws it.
 * @param texts number of test texts
 */
export function thresholdSection({ curves }: TestDetails, texts: number): Html {
	// The class with the fewest texts is usually the one for which a threshold is chosen.
	const first = curves.reduce((least, { texts: own }, i) => (own < (curves[least]?.texts ?? 0) ? i : least), 0);
	const options = curves.map(
		({ label }, i) => html`<option value="${i}"${i === first && html` selected`}>${shortLabel(label)}</option>`,
	);
	const data = { texts, curves: curves.map(({ texts: own, start, points }) => ({ own, start, points })) };
	return html`<section aria-labelledby="threshold"><h2 id="threshold">Precision and recall by threshold</h2>
<p class="note">If a text counts as the class from another probability on, more of its texts are found, or fewer texts of other
classes are taken for it. The slider moves the threshold over the test set.</p>
<div class="columns threshold" data-thresholds><figure><figcaption>Precision by recall</figcaption>
<svg viewBox="-12 -4 120 118" role="img" aria-label="Precision-recall curve; the slider reads its values">
<path class="grid" d="M0 0H100V100H0ZM0 25H100M0 50H100M0 75H100M25 0V100M50 0V100M75 0V100"/>
<text x="50" y="112" text-anchor="middle">recall</text><text x="-6" y="50" text-anchor="middle" transform="rotate(-90 -6 50)">precision</text>
<text x="0" y="106">0</text><text x="100" y="106" text-anchor="end">100 %</text><path class="curve" d=""/><circle r="2.2"/></svg></figure>
<div class="controls"><label>Class <select>${options}</select></label>
<label>Threshold <output></output><input type="range" min="0" step="1"></label>
<dl class="figures">${["Precision", "Recall", "Texts flagged"].map((name) => html`<div><dt>${name}</dt><dd></dd></div>`)}</dl></div></div>
${jsonScript("threshold-data", data)}</section>`;
}
