import { formatCount } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { shortLabel } from "../short-label.js";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";

/** With more classes than this, the table is scrolled in a box of limited height. */
const LONG_TABLE = 12;

/** Renders the texts that were read, and how they were distributed to the sets. */
export function dataSection(result: RunResult): Html {
	return html`<section aria-labelledby="data"><h2 id="data">Data</h2>
${filesTable(result.data.files)}
<dl class="figures">${listFacts(result).map(
		([name, value, detail]) =>
			html`<div><dt>${name}</dt><dd>${value}${detail !== undefined && html` <small>${detail}</small>`}</dd></div>`,
	)}</dl>
${setsTable(result)}</section>`;
}

/** Most files in the table. */
const MOST_FILES = 20;

function filesTable(files: RunResult["data"]["files"]): Html {
	const rows = files
		.slice(0, MOST_FILES)
		.map(
			({ file, format, texts }) =>
				html`<tr><th scope="row">${file.slice(-120)}</th><td>${format}</td><td>${formatCount(texts)}</td></tr>`,
		);
	const rest = files.length - rows.length;
	const table = html`<table><thead><tr><th scope="col">file</th><th scope="col">format</th><th scope="col">texts</th></tr></thead><tbody>${rows}</tbody></table>`;
	return html`${scrollBox("Files that were read", table)}${rest > 0 && html`<p class="note">${formatCount(rest)} more files are left out.</p>`}`;
}

function listFacts({ texts, data, cut, windows }: RunResult): [string, string, string?][] {
	const { median, p95, longest, limit } = data.tokens;
	const all = texts.train + texts.validation + texts.test;
	const allWindows = windows.train + windows.validation + windows.test;
	return [
		["Training texts", formatCount(texts.train)],
		["Validation texts", formatCount(texts.validation)],
		["Test texts", formatCount(texts.test)],
		["Distinct texts", formatCount(texts.distinct)],
		["Texts equal to others", formatCount(data.equal)],
		["Tokens of a text (median)", formatCount(median)],
		["95 % of texts have up to", formatCount(p95)],
		["Tokens of the longest text", formatCount(longest), `limit ${formatCount(limit)}`],
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
