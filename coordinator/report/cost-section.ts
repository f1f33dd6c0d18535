import { formatBytes, formatCount, formatPercent, formatSeconds } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";
import { scrollBox } from "./scroll-box.ts";

/** Renders the seconds of each phase, speed and memory, and of a cluster the workers and the traffic. */
export function costSection(result: RunResult): Html {
	const { seconds, textsPerSecond, stepMs, peakRssBytes } = result;
	const phases = (["load", "features", "training", "evaluation"] as const).map((name) => ({ name, of: seconds[name] }));
	return html`<section class="time" aria-labelledby="time"><h2 id="time">Cost</h2>
<h3>Time by phase</h3>
<div class="phases" aria-hidden="true">${phases.map(({ name, of }) => html`<i class="${name}" style="--seconds:${of}"></i>`)}</div>
<dl class="key">${phases.map(({ name, of }) => html`<div><dt><i class="${name}"></i>${name}</dt><dd>${formatSeconds(of)}</dd></div>`)}</dl>
<p class="note">Total: ${formatSeconds(seconds.total)}. Training processed ${formatCount(textsPerSecond)} texts per second, a step
took ${formatSeconds(stepMs / 1000)} (median), and the peak memory was ${formatBytes(peakRssBytes)}.</p>${clusterFacts(result)}</section>`;
}

/** Most workers in the table. */
const MOST_WORKERS = 50;

/** @returns undefined if the worker was in the coordinator's process */
function clusterFacts({ traffic, audit }: RunResult): Html | undefined {
	if (!traffic) return undefined;
	const workers = Object.entries(audit.workers).sort(([, a], [, b]) => b - a);
	const rows = workers
		.slice(0, MOST_WORKERS)
		.map(
			([id, parts]) =>
				html`<tr><th scope="row">${id.slice(0, 80)}</th><td>${formatCount(parts)}</td><td>${formatPercent(parts / (audit.parts || 1))}</td></tr>`,
		);
	const rest = workers.length - rows.length;
	const table = html`<table data-sortable><thead><tr><th scope="col">worker</th><th scope="col">results used</th><th scope="col">share</th></tr></thead><tbody>${rows}</tbody></table>`;
	return html`<h3>Workers and traffic</h3>${scrollBox("Results of each worker", table)}
<p class="note">${rest > 0 && html`${formatCount(rest)} more workers are left out. `}The coordinator sent ${formatBytes(traffic.sent)} and received
${formatBytes(traffic.received)} over gRPC and NATS.</p>`;
}
