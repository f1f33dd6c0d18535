import type { SweepState } from "../events/sweep-schema.ts";
import { formatValue, listTrialsOf, listVariedKeys, nameOfSetting } from "../events/sweep-settings.ts";
import { formatScore, formatSeconds, formatSpread } from "../format.ts";
import { areFirstClose } from "../metrics/are-first-close.ts";
import { METRIC_NAMES, type Metric } from "../metrics/best-score.ts";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";

type Row = SweepState["ranking"][number];

/** With more settings than this, the table is scrolled in a box of limited height. */
const LONG_TABLE = 20;

/**
 * Renders the settings, the best one first, with a dot for each trial, and the test scores of the best one.
 * @returns undefined if no trial has a score yet
 */
export function rankingSection(state: SweepState, metric: Metric): Html | undefined {
	const { ranking, halving } = state;
	if (ranking.length === 0) return undefined;
	const keys = listVariedKeys(state);
	const scores = ranking.flatMap(({ values }) => listTrialsOf(state, values).map(({ score }) => score ?? 0));
	const range: [number, number] = [Math.min(...scores), Math.max(...scores)];
	const ends = new Set(range.map((score) => formatScore(metric, score)));
	const heads = [...keys.map(nameOfSetting), ...(halving ? ["epochs"] : []), METRIC_NAMES[metric]];
	const table = html`<table class="ranking"><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}
<th scope="col">each trial, ${[...ends].join(" to ")}</th><th scope="col">trials</th><th scope="col">time</th></tr></thead>
<tbody>${ranking.map((row) => rankingRow(state, row, { keys, metric, range }))}</tbody></table>`;
	return html`<section aria-labelledby="ranking"><h2 id="ranking">Settings by validation score</h2>
${testScores(state, metric)}
${scrollBox("Settings by validation score", table, { isLong: ranking.length > LONG_TABLE })}
<p class="note">${describeRanking(state)}</p></section>`;
}

function rankingRow(
	state: SweepState,
	{ values, trials, epochs, validation, seconds }: Row,
	{ keys, metric, range }: { keys: readonly string[]; metric: Metric; range: readonly [number, number] },
): Html {
	const [low, high] = range;
	const place = (score: number) => `${((100 * (score - low)) / (high - low || 1)).toFixed(2)}%`;
	const dots = listTrialsOf(state, values).map(({ score }) => html`<circle cx="${place(score ?? 0)}" cy="50%" r="5"/>`);
	const mean = place(validation.mean);
	const [first, ...others] = keys.map((key) => html`<bdi>${formatValue(values[key])}</bdi>`);
	return html`<tr>${first && html`<th scope="row">${first}</th>`}${others.map((value) => html`<td>${value}</td>`)}
${state.halving !== null && html`<td>${epochs}</td>`}<td>${formatSpread(metric, validation)}</td>
<td aria-hidden="true"><svg class="dots"><line x1="0" x2="100%" y1="50%" y2="50%"/>${dots}<line class="mean" x1="${mean}" x2="${mean}" y1="0" y2="100%"/></svg></td>
<td>${trials}</td><td>${formatSeconds(seconds)}</td></tr>`;
}

function testScores({ best }: SweepState, metric: Metric): Html | undefined {
	if (!best) return undefined;
	const { accuracy, macroF1, loss } = best.test;
	const scores = [
		["Accuracy", formatSpread("accuracy", accuracy)],
		["Macro F1", formatSpread("macro-f1", macroF1)],
		["Loss", formatSpread("loss", loss)],
	];
	return html`<h3>Test scores of the best setting by ${METRIC_NAMES[metric]}</h3>
<dl class="figures">${scores.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<p class="note">Test scores of other settings aren’t shown, because a setting chosen by test scores would look better than it is.</p>`;
}

/** Explains the numbers: over what they are means, whether the first difference may be chance, how halving compares. */
function describeRanking({ ranking, seeds, folds, halving }: SweepState): string {
	const over = [...(folds === null ? [] : [`${folds} folds`]), ...(seeds.length > 1 ? [`${seeds.length} seeds`] : [])];
	const spread =
		over.length > 0
			? `Mean ± standard deviation over ${over.join(" and ")}. `
			: "One trial per setting: no spread is known. ";
	const close = areFirstClose(ranking)
		? "The first two settings differ by less than one standard deviation: this may be chance. "
		: "";
	const rungs = (halving?.rungs ?? []).map(({ epochs, settings }) => `${settings} up to epoch ${epochs}`);
	const halved = halving
		? `Successive halving trained ${rungs.join(", ")}; scores after different epochs can’t be compared.`
		: "";
	return `${spread}${close}A dot is a trial, the bar is the mean. ${halved}`;
}
