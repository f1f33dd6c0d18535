import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Html, type HtmlValue, html } from "./html.ts";

const require = createRequire(import.meta.url);

/** Parts of a page that needs no other file and no network. */
export interface Page {
	readonly title: string;
	/** Text above the heading. */
	readonly eyebrow: string;
	/** A sentence below the heading. */
	readonly lead: Html;
	readonly sections: HtmlValue;
	readonly footer: Html;
	readonly style: string;
	/** Embedded data for the script. */
	readonly data?: HtmlValue;
	/** A module without imports. */
	readonly script?: string;
}

/** Renders a page. It can send no request, and runs only its own script, whatever a label contains. */
export function renderPage({ title, eyebrow, lead, sections, footer, style, data, script = "" }: Page): string {
	return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}: a ${eyebrow}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<header><p class="eyebrow">${eyebrow}</p><h1><bdi>${title}</bdi></h1>${lead}</header>
${sections}
</main>
<footer>${footer}</footer>
${data}
${script !== "" && html`<script type="module">${new Html(script)}</script>`}
</body>
</html>
`.text;
}

function contentPolicy(script: string): string {
	const source = script === "" ? "'none'" : `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
	return `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${source}`;
}

/** Reads a file of uPlot. */
export function readPlotFile(name: string): string {
	return readText(require.resolve(`uplot/dist/${name}`));
}

/** Reads a file, by its path from the folder page/. */
export function readPageFile(name: string): string {
	return readText(new URL(`page/${name}`, import.meta.url));
}

// A browser reads every line end as \n before it compares the script with the policy's hash.
function readText(file: string | URL): string {
	return readFileSync(file, "utf8").replaceAll("\r\n", "\n");
}
