import { type TrainConfig, trainConfigSchema } from "../../shared/settings/config.ts";
import { defaultConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import { formatCount, shellWord } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";

/** Renders the settings that differ from the defaults; the others are folded away. */
export function settingsSection(config: TrainConfig): Html {
	const defaults: Readonly<Record<string, unknown>> = defaultConfig();
	const values: Readonly<Record<string, unknown>> = config;
	const given = Object.keys(trainConfigSchema.shape).filter((key) => values[key] !== undefined);
	const isChanged = (key: string) => JSON.stringify(values[key]) !== JSON.stringify(defaults[key]);
	const list = (keys: readonly string[]) =>
		html`<dl class="pairs flags">${keys.map((key) => html`<div><dt>${flagOf(key)}</dt><dd>${String(values[key])}</dd></div>`)}</dl>`;
	const changed = given.filter(isChanged);
	return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
<h3>Different from the default</h3>${list(changed)}
<details><summary>All other settings have their default</summary><div>${list(given.filter((key) => !isChanged(key)))}</div></details></section>`;
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
