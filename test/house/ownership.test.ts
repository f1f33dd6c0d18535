import test from "ava";
import fc from "fast-check";
import { cycles, folderGraph, type ImportGraph, importGraph, reachedFrom, readImportGraph } from "./import-graph.ts";

/** The parts of the program that share files: three folders, and the command itself. */
const SIDES = ["coordinator/", "worker/", "deploy/", "tailtune."];

/** Files of shared/ that fewer than two sides reach, with the sides that do. */
function misplaced(graph: ImportGraph): string[] {
	const shared = [...graph.keys()].filter((file) => file.startsWith("shared/"));
	const reached = SIDES.map((side) => ({ side, files: reachedBySide(graph, side) }));
	return shared
		.map((file) => ({ file, by: reached.filter((side) => side.files.has(file)).map(({ side }) => side) }))
		.filter(({ by }) => by.length < 2)
		.map(({ file, by }) => `${file}: only reached by ${by.join() || "no side"}`);
}

/** The files that a side imports, directly or through files of its own and of shared/. */
function reachedBySide(graph: ImportGraph, side: string): Set<string> {
	const isIn = (file: string) => file.startsWith(side) || file.startsWith("shared/");
	const own = new Map([...graph].map(([file, imported]) => [file, new Set([...imported].filter(isIn))]));
	return reachedFrom(
		own,
		[...graph.keys()].filter((file) => file.startsWith(side)),
	);
}

/** Imports of one folder from another, except those of the command and those from shared/. */
function crossings(graph: ImportGraph): string[] {
	const side = (file: string) => file.split("/")[0];
	return [...graph]
		.filter(([file]) => !file.startsWith("tailtune."))
		.flatMap(([file, imported]) =>
			[...imported]
				.filter((target) => side(target) !== "shared" && side(target) !== side(file))
				.map((target) => `${file} -> ${target}`),
		);
}

test("shared/ holds only files that at least two of coordinator/, worker/, deploy/ and the command reach", async (t) => {
	t.deepEqual(misplaced(await readImportGraph()), []);
});

test("coordinator/, worker/ and deploy/ import shared/ and nothing of one another", async (t) => {
	t.deepEqual(crossings(await readImportGraph()), []);
});

test("no files import each other in a circle, types included", async (t) => {
	t.deepEqual(cycles(await readImportGraph()), []);
});

test("no sibling folders import each other in a circle, types included", async (t) => {
	const folders = folderGraph(await readImportGraph());
	const circles = cycles(folders).map((circle) =>
		circle.flatMap((from) => circle.flatMap((to) => folders.get(from)?.get(to) ?? [])),
	);
	t.deepEqual(circles, []);
});

test("each kind of import counts", (t) => {
	const graph = importGraph(
		new Map([
			["shared/a.ts", ""],
			["shared/b.ts", 'import type { A } from "./a.ts";'],
			["worker/c.ts", 'export const c = () => import("../shared/b.ts");'],
			["coordinator/d.ts", 'new URL("../shared/a.ts", import.meta.url); type B = import("../shared/b.ts").B;'],
			["shared/e.ts", 'export * from "./b.ts"; import "node:fs";'],
			["deploy/f.ts", 'import "../shared/e.ts"; import "../worker/c.ts";'],
			["tailtune.ts", 'import "./worker/c.ts"; import "./coordinator/d.ts";'],
			["shared/g.ts", ""],
			["worker/h.ts", 'import "../shared/g.ts";'],
		]),
	);
	t.deepEqual(misplaced(graph), ["shared/e.ts: only reached by deploy/", "shared/g.ts: only reached by worker/"]);
	t.deepEqual(crossings(graph), ["deploy/f.ts -> worker/c.ts"]);
});

test("folders of one parent are compared, wherever their files lie in them", (t) => {
	const graph = importGraph(
		new Map([
			["shared/a/x/1.ts", 'import "../../b/2.ts"; import "../3.ts"; import "../../4.ts";'],
			["shared/b/2.ts", 'import type {} from "../a/3.ts";'],
			["shared/a/3.ts", 'import "./x/1.ts";'],
			["shared/4.ts", 'import "./b/2.ts";'],
		]),
	);
	t.deepEqual(
		cycles(folderGraph(graph)).map((circle) => circle.sort()),
		[["shared/a", "shared/b"]],
	);
	t.deepEqual(
		cycles(graph).map((circle) => circle.sort()),
		[["shared/4.ts", "shared/a/3.ts", "shared/a/x/1.ts", "shared/b/2.ts"]],
	);
});

test("files are in a cycle if and only if each reaches the other", (t) => {
	const node = fc.integer({ min: 0, max: 7 });
	fc.assert(
		fc.property(fc.array(fc.tuple(node, node), { maxLength: 20 }), (pairs) => {
			const graph = new Map<string, Set<string>>();
			for (const [from, to] of pairs) {
				graph.set(`${from}`, (graph.get(`${from}`) ?? new Set()).add(`${to}`));
				graph.set(`${to}`, graph.get(`${to}`) ?? new Set());
			}
			const groups = cycles(graph);
			const reaches = (from: string, to: string) => reachedFrom(graph, [from]).has(to);
			for (const one of graph.keys()) {
				for (const other of graph.keys()) {
					const together = groups.some((group) => group.includes(one) && group.includes(other));
					if (one !== other) t.is(together, reaches(one, other) && reaches(other, one));
				}
			}
		}),
	);
});
