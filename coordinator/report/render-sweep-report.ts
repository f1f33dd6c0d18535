import type { TrainConfig } from "../../shared/settings/config.ts";
import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { formatCount, shellWord, shortNameOf } from "../format.ts";
import type { Metric } from "../metrics/best-score.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, type HtmlValue, html } from "./html.ts";
import { readPageFile, renderPage } from "./page-frame.ts";
import { madeBy } from "./render-report.ts";
import { settingsSection } from "./settings-section.ts";
import { curvesOfSettings } from "./sweep-curves.ts";
import { rankingSection } from "./sweep-ranking.ts";
import { trialsSection } from "./sweep-trials.ts";
import type { SweepView, TrialCurve } from "./sweep-view.ts";

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
	return renderPage({
		title: titleOf(state),
		eyebrow: "Tailtune sweep report",
		lead: leadOf(state),
		sections: [
			sweepSections({ state, metric, curves, running: [], linkOf }),
			settingsSection(state.settings as TrainConfig),
			commandSection(commandLine, versions),
		],
		footer: madeBy({ versions, finishedAt: state.finishedAt ?? state.startedAt }),
		style: readPageFile("style.css") + readPageFile("report.css") + readPageFile("sweep.css"),
	});
}

/** Renders the ranking, the curves and the trials of a sweep, which may be unfinished. */
export function sweepSections(view: SweepView): HtmlValue {
	return [rankingSection(view.state, view.metric), curvesOfSettings(view), trialsSection(view)];
}

/** A finished trial has a report. */
function linkOf({ folder, state }: TrialResult): string | undefined {
	return state === "finished" ? `${encodeURI(folder)}/report.html` : undefined;
}

/** Returns the name of a sweep, or the number of settings that it compares. */
export function titleOf({ settings, trials }: SweepState): string {
	return typeof settings.name === "string" ? settings.name : `Comparison of ${countSettings(trials)} settings`;
}

/** Renders the sentence below the title of a sweep. */
export function leadOf({ settings, trials, seeds, folds }: SweepState): Html {
	const data = shortNameOf(String(settings.data ?? settings.train ?? ""));
	const counts = [
		`${formatCount(countSettings(trials))} settings`,
		...(seeds.length > 1 ? [`${seeds.length} seeds`] : []),
		...(folds === null ? [] : [`${folds} folds`]),
	];
	const model =
		settings.model === undefined ? "" : html`<strong>${shortNameOf(String(settings.model))}</strong> tuned on `;
	return html`<p class="lead">${model}<strong>${data}</strong>: ${counts.join(", ")}, ${formatCount(trials.length)} trials.</p>`;
}

function countSettings(trials: readonly TrialResult[]): number {
	return new Set(trials.map(({ values }) => JSON.stringify(values))).size;
}

function commandSection(commandLine: RunResult["commandLine"], versions: RunResult["versions"]): Html {
	return html`<section aria-labelledby="run"><h2 id="run">Command</h2>
<pre><code>npx tailtune ${commandLine.map(shellWord).join(" ")}</code></pre>
<h3>Software</h3><dl class="pairs">${Object.entries(versions).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}
