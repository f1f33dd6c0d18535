import type { RunResult } from "../run-folder/result.ts";
import { confusionList } from "./confusion-list.ts";
import { type Html, html } from "./html.ts";
import { matrixTable } from "./matrix-table.ts";
import { scoresTable } from "./scores-table.ts";

/** Renders the results by class: scores, the most frequent confusions, and the confusion matrix. */
export function classSection(result: RunResult): Html {
	const list = confusionList(result, () => undefined);
	const matrix = matrixTable(result);
	const isWide = result.labels.length > 6;
	return html`<section aria-labelledby="classes"><h2 id="classes">Results by class</h2>
${scoresTable(result)}
${(list || matrix) && html`<div class="columns confused${isWide && " one"}">${isWide ? [list, matrix] : [matrix, list]}</div>`}</section>`;
}
