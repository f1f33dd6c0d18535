import { formatCount } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";
import { shortLabel } from "./short-label.ts";

/** With more classes than this, the table is scrolled in a box of limited height. */
const LONG_TABLE = 12;

/** Renders the texts that were read, and how they were distributed to the sets. */
export function dataSection(result: RunResult): Html {
	return html`<section aria-labelledby="data"><h2 id="data">Data</h2>
<dl class="figures small">${listFacts(result).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${setsTable(result)}</section>`;
}

function listFacts({ texts, cut, windows }: RunResult): [string, string][] {
	const all = texts.train + texts.validation + texts.test;
	const allWindows = windows.train + windows.validation + windows.test;
	return [
		["Training texts", formatCount(texts.train)],
		["Validation texts", formatCount(texts.validation)],
		["Test texts", formatCount(texts.test)],
		["Distinct texts", formatCount(texts.distinct)],
		["Texts cut to the limit", formatCount(cut.train + cut.validation + cut.test)],
		...(allWindows > all ? [["Windows of all texts", formatCount(allWindows)] satisfies [string, string]] : []),
	];
}

/** Renders the number of texts of each class: read, in each set, not used and repeated. */
function setsTable({ classes }: RunResult): Html {
	const isRepeated = classes.some(({ repeats }) => repeats > 0);
	const isBalanced = classes.some(({ unused }) => unused > 0);
	const columns = {
		...{ read: "read", train: "training", validation: "validation", test: "test" },
		...(isBalanced && { unused: "not used" }),
		...(isRepeated && { repeats: "repeats" }),
	} as const;
	const keys = Object.keys(columns) as (keyof typeof columns & keyof (typeof classes)[number])[];
	const rows = classes.map(
		(of) =>
			html`<tr><th scope="row"><bdi>${shortLabel(of.label)}</bdi></th>${keys.map((key) => html`<td>${formatCount(of[key])}</td>`)}</tr>`,
	);
	const table = html`<table data-sortable><caption>Texts of each class</caption>
<thead><tr><th scope="col">class</th>${keys.map((key) => html`<th scope="col">${columns[key]}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;
	return html`<div class="scores">${scrollBox("Texts of each class", table, { isLong: classes.length > LONG_TABLE })}
${isBalanced && html`<p class="note">Not used: --balance keeps as many texts of each class as the smallest class has.</p>`}
${isRepeated && html`<p class="note">Repeats: how often training texts of this class are repeated in an epoch (--balance oversample).</p>`}</div>`;
}
