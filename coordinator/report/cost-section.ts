import { formatBytes, formatCount, formatSeconds } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";

/** Renders the seconds of each phase, speed and memory. */
export function costSection({ seconds, textsPerSecond, stepMs, peakRssBytes }: RunResult): Html {
	const phases = (["load", "features", "training", "evaluation"] as const).map((name) => ({ name, of: seconds[name] }));
	return html`<section class="time" aria-labelledby="time"><h2 id="time">Time by phase</h2>
<div class="phases" aria-hidden="true">${phases.map(({ name, of }) => html`<i class="${name}" style="--seconds:${of}"></i>`)}</div>
<dl class="key">${phases.map(({ name, of }) => html`<div><dt><i class="${name}"></i>${name}</dt><dd>${formatSeconds(of)}</dd></div>`)}</dl>
<p class="note">Total: ${formatSeconds(seconds.total)}. Training processed ${formatCount(textsPerSecond)} texts per second, a step
took ${formatSeconds(stepMs / 1000)} (median), and the peak memory was ${formatBytes(peakRssBytes)}.</p></section>`;
}
