import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { formatValue, hasValues, nameOfSetting } from "../events/sweep-settings.ts";
import { formatScore } from "../format.ts";
import { METRIC_NAMES, type Metric } from "../metrics/best-score.ts";
import { type Html, html } from "./html.ts";
import type { SweepView, TrialCurve } from "./sweep-view.ts";

/** Maximum number of settings with a chart. */
const MOST_SETTINGS = 12;
/** Maximum number of trials in the chart of a setting. */
const MOST_TRIALS = 20;
/** Size and margins of a chart, in units of its SVG coordinates. */
const WIDTH = 240;
const HEIGHT = 120;
const MARGIN = { left: 42, right: 6, top: 8, bottom: 18 };

/**
 * Lists the folders of the trials with a curve: up to MOST_TRIALS for each of up to MOST_SETTINGS settings.
 * @param running folders of the trials that are being trained; their settings come first
 */
export function listDrawnTrials(state: SweepState, running: readonly string[]): string[] {
	return listCurveSettings(state, running)
		.slice(0, MOST_SETTINGS)
		.flatMap((values) => drawnTrialsOf(state, values, running).map(({ folder }) => folder));
}

/** Lists the settings that have curves: first those that are being trained, then the others, the best first. */
function listCurveSettings({ ranking, trials }: SweepState, running: readonly string[]): TrialResult["values"][] {
	const listed = [...trials.filter(({ folder }) => running.includes(folder)), ...ranking];
	return listed
		.filter((one, i) => listed.findIndex((other) => hasValues(other, one.values)) === i)
		.map(({ values }) => values);
}

function drawnTrialsOf({ trials }: SweepState, values: TrialResult["values"], running: readonly string[]) {
	const drawn = trials.filter((trial) => trial.score !== null || running.includes(trial.folder));
	return drawn.filter((trial) => hasValues(trial, values)).slice(0, MOST_TRIALS);
}

/**
 * Renders one small chart per setting, with one line per trial. All charts have the same axes, so that people can
 * compare them.
 * @returns undefined if no trial has been evaluated yet
 */
export function curvesOfSettings({ state, metric, curves, running }: SweepView): Html | undefined {
	const points = curves.flatMap((curve) => curve.points);
	if (points.length === 0) return undefined;
	const scores = points.map(({ score }) => score);
	const axes = {
		low: Math.min(...scores),
		high: Math.max(...scores),
		epochs: Math.max(...points.map(({ epoch }) => epoch)),
	};
	const byFolder = new Map(curves.map((curve) => [curve.folder, curve]));
	const settings = listCurveSettings(state, running);
	const shown = settings.slice(0, MOST_SETTINGS);
	const figures = shown.map((values) => {
		const name = Object.entries(values).map(([key, value]) => `${nameOfSetting(key)} ${formatValue(value)}`);
		const own = drawnTrialsOf(state, values, running).flatMap(({ folder }) => byFolder.get(folder) ?? []);
		return html`<figure><figcaption><bdi>${name.join(", ") || "all trials"}</bdi></figcaption>${chart(own, axes, metric)}</figure>`;
	});
	const rest = settings.length - shown.length;
	return html`<section aria-labelledby="curves"><h2 id="curves">Validation ${METRIC_NAMES[metric]} by epoch</h2>
<div class="small-charts">${figures}</div>
<p class="note">One line per trial; all charts have the same axes. ${rest > 0 && `Settings left out: ${rest}.`}</p></section>`;
}

interface Axes {
	readonly low: number;
	readonly high: number;
	readonly epochs: number;
}

function chart(curves: readonly TrialCurve[], { low, high, epochs }: Axes, metric: Metric): Html {
	const [right, bottom] = [WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
	const x = (epoch: number) => MARGIN.left + ((right - MARGIN.left) * (epoch - 1)) / Math.max(1, epochs - 1);
	const y = (score: number) => bottom - ((bottom - MARGIN.top) * (score - low)) / (high - low || 1);
	const place = ({ epoch, score }: TrialCurve["points"][number]) => `${x(epoch).toFixed(1)},${y(score).toFixed(1)}`;
	const lines = curves.map(({ points }) => {
		const last = points.at(-1);
		const [cx, cy] = last ? place(last).split(",") : [];
		return html`<polyline points="${points.map(place).join(" ")}"/>${last && html`<circle cx="${cx}" cy="${cy}" r="2.5"/>`}`;
	});
	const label = `${METRIC_NAMES[metric]} from epoch 1 to ${epochs}; the last scores are in the table of the trials`;
	return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
<path d="M${MARGIN.left} ${MARGIN.top}H${right}M${MARGIN.left} ${bottom}H${right}"/>
<text x="${MARGIN.left - 4}" y="${MARGIN.top + 3}" text-anchor="end">${formatScore(metric, high)}</text>
<text x="${MARGIN.left - 4}" y="${bottom + 3}" text-anchor="end">${formatScore(metric, low)}</text>
<text x="${MARGIN.left}" y="${HEIGHT - 4}">epoch 1</text>
${epochs > 1 && html`<text x="${right}" y="${HEIGHT - 4}" text-anchor="end">${epochs}</text>`}
${lines}</svg>`;
}
