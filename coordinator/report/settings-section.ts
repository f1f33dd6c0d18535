import { type TrainConfig, trainConfigSchema } from "../../shared/settings/config.ts";
import { defaultConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import { formatCount, shellWord } from "../format.ts";
import type { RunResult } from "../run-folder/result.ts";
import { type Html, html } from "./html.ts";

/** Renders all settings; those that differ from the default are highlighted. */
export function settingsSection(config: TrainConfig): Html {
	const defaults: Readonly<Record<string, unknown>> = defaultConfig();
	const values: Readonly<Record<string, unknown>> = config;
	const given = Object.keys(trainConfigSchema.shape).filter((key) => values[key] !== undefined);
	const rows = given.map((key) => {
		const value = values[key];
		const isChanged = JSON.stringify(value) !== JSON.stringify(defaults[key]);
		return html`<div class="${isChanged && "changed"}"><dt>${flagOf(key)}</dt><dd>${String(value)}</dd></div>`;
	});
	return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2><dl class="pairs flags">${rows}</dl>
<p class="note">Settings in bold differ from the default.</p></section>`;
}

/** Renders the data, the software and hardware, and the command that repeats the run. */
export function runSection({ texts, cut, windows, audit, engine, versions, commandLine }: RunResult): Html {
	const { double, stale, stray } = audit.ignored;
	const allWindows = windows.train + windows.validation + windows.test;
	const isDivided = allWindows > texts.train + texts.validation + texts.test;
	const facts: [string, string][] = [
		["Training texts", formatCount(texts.train)],
		["Validation texts", formatCount(texts.validation)],
		["Test texts", formatCount(texts.test)],
		["Distinct texts", formatCount(texts.distinct)],
		["Texts cut to the limit", formatCount(cut.train + cut.validation + cut.test)],
		...(isDivided ? [["Windows of all texts", formatCount(allWindows)] satisfies [string, string]] : []),
		["Results used", formatCount(audit.parts)],
		["Duplicate or late results ignored", formatCount(double + stale + stray)],
		["Trunk computed by", engine.trunk],
		["Tail computed by", engine.tail],
		["Device", engine.device],
		["Threads", String(engine.threads)],
		...Object.entries(versions),
	];
	return html`<section aria-labelledby="run"><h2 id="run">Run</h2>
<dl class="pairs">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<p class="note">Command</p><pre><code>npx tailtune ${commandLine.map(shellWord).join(" ")}</code></pre></section>`;
}
