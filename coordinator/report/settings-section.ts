import type { TrainConfig } from "../../shared/settings/config.ts";
import { formatCount, shellWord } from "../format.ts";
import { listSettings } from "../run-folder/list-settings.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";

/** Renders the settings that differ from the defaults; the others are folded away. */
export function settingsSection(config: TrainConfig): Html {
	const settings = listSettings(config);
	const list = (isDefault: boolean) => {
		const listed = settings.filter((setting) => setting.isDefault === isDefault);
		return html`<dl class="pairs flags">${listed.map(({ flag, values }) => html`<div><dt>${flag}</dt><dd>${values.join(" ")}</dd></div>`)}</dl>`;
	};
	return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
<h3>Different from the default</h3>${list(false)}
<details><summary>All other settings have their default</summary><div>${list(true)}</div></details></section>`;
}

/** Renders the software and hardware, and the command that repeats the run. */
export function runSection({ audit, engine, versions, commandLine }: RunResult): Html {
	const { double, stale, stray } = audit.ignored;
	const facts: [string, string][] = [
		["Results used", formatCount(audit.parts)],
		["Duplicate or late results ignored", formatCount(double + stale + stray)],
		["Trunk computed by", engine.trunk],
		["Tail computed by", engine.tail],
		["Device", engine.device],
		["Threads", String(engine.threads)],
		...Object.entries(versions),
	];
	return html`<section aria-labelledby="run"><h2 id="run">Run</h2>
<h3>Command that repeats it</h3><pre><code>npx tailtune ${commandLine.map(shellWord).join(" ")}</code></pre>
<h3>Software and hardware</h3><dl class="pairs">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}
