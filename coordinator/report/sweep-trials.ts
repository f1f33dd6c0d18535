import type { TrialResult } from "../events/sweep-schema.ts";
import { formatValue, listVariedKeys, nameOfSetting } from "../events/sweep-settings.ts";
import { formatScore, formatSeconds } from "../format.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";
import type { SweepView } from "./sweep-view.ts";

/** With more trials than this, their table is scrolled in a box of limited height. */
const LONG_TABLE = 20;

/** Renders the table of all trials, and why trials failed. */
export function trialsSection({ state, metric, running, linkOf }: SweepView): Html {
	const { trials } = state;
	const keys = listVariedKeys(state);
	const hasFolds = trials.some(({ fold }) => fold !== undefined);
	const heads = ["trial", ...keys.map(nameOfSetting), "seed", ...(hasFolds ? ["fold"] : []), "state"];
	const rows = trials.map(
		(trial) =>
			html`<tr>${[
				html`<th scope="row">${nameOfTrial(trial, linkOf(trial))}</th>`,
				...keys.map((key) => html`<td><bdi>${formatValue(trial.values[key])}</bdi></td>`),
				html`<td>${trial.seed}</td>`,
				...(hasFolds ? [html`<td>${trial.fold ?? "–"}</td>`] : []),
				html`<td>${running.includes(trial.folder) ? "running" : describeState(trial)}</td>`,
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

function nameOfTrial({ folder }: TrialResult, link: string | undefined): Html {
	return link === undefined ? html`${folder}` : html`<a href="${link}">${folder}</a>`;
}

function describeState({ state, epochs }: TrialResult): string {
	return state === "stopped" ? `stopped after epoch ${epochs}` : state;
}
