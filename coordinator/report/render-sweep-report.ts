import { basename } from "node:path";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { formatValue, listVariedKeys, nameOfSetting } from "../events/sweep-settings.ts";
import { formatCount, formatScore, formatSeconds, shellWord } from "../format.ts";
import { METRIC_NAMES, type Metric } from "../metrics/best-score.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";
import { readPageFile, renderPage } from "./page-frame.ts";
import { madeBy } from "./render-report.ts";
import { scrollBox } from "./scroll-box.ts";
import { settingsSection } from "./settings-section.ts";
import { curvesOfSettings, type TrialCurve } from "./sweep-curves.ts";
import { rankingSection } from "./sweep-ranking.ts";

/** With more trials than this, their table is scrolled in a box of limited height. */
const LONG_TABLE = 20;

/**
 * Renders the report of a finished sweep: one page that needs no other file and no network. It links to the reports of
 * the trials.
 * @param metric of the scores
 * @param curves of the trials that are drawn
 * @param best versions and command of the best trial
 */
export function renderSweepReport(
	state: SweepState,
	metric: Metric,
	curves: readonly TrialCurve[],
	{ versions, commandLine }: Pick<RunResult, "versions" | "commandLine">,
): string {
	const { name } = state.settings;
	return renderPage({
		title: typeof name === "string" ? name : `Comparison of ${state.ranking.length} settings`,
		eyebrow: "Tailtune sweep report",
		lead: lead(state),
		sections: [
			rankingSection(state, metric),
			curvesOfSettings(state, metric, curves),
			trialsSection(state, metric),
			settingsSection(state.settings as TrainConfig),
			commandSection(commandLine, versions),
		],
		footer: madeBy({ versions, finishedAt: state.finishedAt ?? state.startedAt }),
		style: readPageFile("style.css") + readPageFile("report.css") + readPageFile("sweep.css"),
	});
}

function lead({ settings, trials, ranking, seeds, folds }: SweepState): Html {
	const data = basename(String(settings.data ?? settings.train ?? ""));
	const counts = [
		`${formatCount(ranking.length)} settings`,
		...(seeds.length > 1 ? [`${seeds.length} seeds`] : []),
		...(folds === null ? [] : [`${folds} folds`]),
	];
	const model =
		settings.model === undefined ? "" : html`<strong>${basename(String(settings.model))}</strong> tuned on `;
	return html`<p class="lead">${model}<strong>${data}</strong>: ${counts.join(", ")}, ${formatCount(trials.length)} trials.</p>`;
}

function trialsSection(state: SweepState, metric: Metric): Html {
	const { trials } = state;
	const keys = listVariedKeys(state);
	const hasFolds = trials.some(({ fold }) => fold !== undefined);
	const heads = ["trial", ...keys.map(nameOfSetting), "seed", ...(hasFolds ? ["fold"] : []), "state"];
	const rows = trials.map(
		(trial) =>
			html`<tr>${[
				html`<th scope="row">${nameOfTrial(trial)}</th>`,
				...keys.map((key) => html`<td><bdi>${formatValue(trial.values[key])}</bdi></td>`),
				html`<td>${trial.seed}</td>`,
				...(hasFolds ? [html`<td>${trial.fold ?? "–"}</td>`] : []),
				html`<td>${describeState(trial)}</td>`,
				html`<td>${trial.score === null ? "–" : formatScore(metric, trial.score)}</td>`,
				html`<td>${trial.seconds === null ? "–" : formatSeconds(trial.seconds)}</td>`,
			]}</tr>`,
	);
	const table = html`<table><thead><tr>${[...heads, METRIC_NAMES[metric], "time"].map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;
	const failed = trials.filter(({ state }) => state === "failed");
	const errors = failed.map(({ folder, error }) => html`<p class="note">${folder} failed: ${error}</p>`);
	return html`<section aria-labelledby="trials"><h2 id="trials">Trials</h2>
${scrollBox("Trials", table, { isLong: trials.length > LONG_TABLE })}${errors.slice(0, LONG_TABLE)}</section>`;
}

/** A finished trial has a report. */
function nameOfTrial({ folder, state }: TrialResult): Html {
	return state === "finished" ? html`<a href="${encodeURI(folder)}/report.html">${folder}</a>` : html`${folder}`;
}

function describeState({ state, epochs }: TrialResult): string {
	return state === "stopped" ? `stopped after epoch ${epochs}` : state;
}

function commandSection(commandLine: RunResult["commandLine"], versions: RunResult["versions"]): Html {
	return html`<section aria-labelledby="run"><h2 id="run">Command</h2>
<pre><code>npx tailtune ${commandLine.map(shellWord).join(" ")}</code></pre>
<h3>Software</h3><dl class="pairs">${Object.entries(versions).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}
