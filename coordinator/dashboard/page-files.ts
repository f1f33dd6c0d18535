import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, extname } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
};

/** Files that reports contain too. */
const SHARED = [
	"../format-numbers.js",
	"../short-label.js",
	"../report/page/curve-chart.js",
	"../report/page/style.css",
	"../report/page/sweep.css",
];

/** A file of the page. */
export interface PageFile {
	readonly type: string;
	readonly content: string;
}

/** Reads the files of the page, by their paths in the address. All of them come with this package. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
	const own = new URL("page/", import.meta.url);
	const uplot = createRequire(import.meta.url).resolve;
	const files: [name: string, path: string | URL][] = [
		...readdirSync(own).map((name) => [name, new URL(name, own)] as [string, URL]),
		...SHARED.map((path): [string, URL] => [basename(path), new URL(path, import.meta.url)]),
		["uplot.css", uplot("uplot/dist/uPlot.min.css")],
		["uplot.js", uplot("uplot/dist/uPlot.iife.min.js")],
	];
	return new Map(
		files.map(([name, path]) => {
			const address = name === "index.html" ? "/" : `/${name}`;
			return [address, { type: TYPES[extname(name)] ?? "text/plain", content: readFileSync(path, "utf8") }];
		}),
	);
}
