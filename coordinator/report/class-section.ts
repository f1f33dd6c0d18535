import type { RunResult } from "../run-folder/result.ts";
import type { ShownText } from "../run-folder/test-details.ts";
import { confusionList } from "./confusion-list.ts";
import { type Html, html } from "./html.ts";
import { matrixTable } from "./matrix-table.ts";
import { scoresTable } from "./scores-table.ts";
import { shownText } from "./shown-text.ts";

/**
 * Renders the results by class: scores, the most frequent confusions, and the confusion matrix.
 * @param mistakes texts of the confusions; default: none
 */
export function classSection(result: RunResult, mistakes: readonly ShownText[] = []): Html {
	const list = confusionList(result, (own, predicted) => {
		const texts = mistakes.filter((text) => text.label === own && text.predicted === predicted);
		return texts.length > 0 ? html`<ol class="texts">${texts.map(shownText)}</ol>` : undefined;
	});
	const matrix = matrixTable(result);
	const isWide = result.labels.length > 6;
	return html`<section aria-labelledby="classes"><h2 id="classes">Results by class</h2>
${scoresTable(result)}
${(list || matrix) && html`<div class="columns confused${isWide && " one"}">${isWide ? [list, matrix] : [matrix, list]}</div>`}</section>`;
}
