import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { readSources } from "./source-files.ts";

/** Files by path from the project's root, each with the project's files that it imports. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>;

/** The command: files that name it start it as a process. */
const STARTED = /^tailtune\./;

/** The imports of all source files: of values and of types, static and dynamic, and of programs named by a URL. */
export async function readImportGraph(): Promise<ImportGraph> {
	const sources = await readSources();
	// Declarations belong to the compiler: nothing imports them.
	for (const file of sources.keys()) if (file.endsWith(".d.ts")) sources.delete(file);
	return importGraph(sources);
}

/** @param sources the text of each file, by its path from the root */
export function importGraph(sources: ReadonlyMap<string, string>): ImportGraph {
	const imports = (file: string, text: string) => {
		const paths = specifiers(text).map((specifier) => normalize(join(dirname(file), specifier)));
		return new Set(paths.filter((path) => sources.has(path) && !STARTED.test(path)));
	};
	return new Map([...sources].map(([file, text]) => [file, imports(file, text)]));
}

function specifiers(text: string): string[] {
	const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
	const programs = [...text.matchAll(/(?:new URL\(\s*|import\.meta\.resolve\()"([^"]+)"/g)].map(
		(match) => match[1] as string,
	);
	return [...imported.filter((name) => name.startsWith(".")), ...programs];
}

/** All files that these import, and those that they import in turn; the first ones too. */
export function reachedFrom(graph: ImportGraph, files: Iterable<string>): Set<string> {
	const reached = new Set<string>();
	const open = [...files];
	for (let file = open.pop(); file !== undefined; file = open.pop()) {
		if (reached.has(file)) continue;
		reached.add(file);
		open.push(...(graph.get(file) ?? []));
	}
	return reached;
}

/**
 * Between each two folders that lie in one folder: `a -> b` if a file below a imports one below b, with these imports.
 */
export function folderGraph(graph: ImportGraph): Map<string, Map<string, string[]>> {
	const folders = new Map<string, Map<string, string[]>>();
	for (const [file, imported] of graph) {
		for (const target of imported) {
			const siblings = siblingFolders(file, target);
			if (!siblings) continue;
			const [from, to] = siblings;
			const edges = folders.get(from) ?? new Map<string, string[]>();
			edges.set(to, [...(edges.get(to) ?? []), `${file} -> ${target}`]);
			folders.set(from, edges).set(to, folders.get(to) ?? new Map());
		}
	}
	return folders;
}

/**
 * The two folders of one parent that these files lie below; undefined if one lies in a folder that the other is below.
 */
function siblingFolders(file: string, target: string): [string, string] | undefined {
	const from = dirname(file).split("/");
	const to = dirname(target).split("/");
	const depth = from.findIndex((name, i) => name !== to[i]);
	if (depth === -1 || depth >= to.length) return undefined;
	return [from.slice(0, depth + 1).join("/"), to.slice(0, depth + 1).join("/")];
}

/** Groups of nodes that each reach one another (Tarjan 1972: strongly connected components of more than one node). */
export function cycles(edges: ReadonlyMap<string, { keys(): Iterable<string> }>): string[][] {
	const found: string[][] = [];
	const order = new Map<string, { index: number; low: number; isOpen: boolean }>();
	const open: string[] = [];
	const visit = (node: string) => {
		const own = { index: order.size, low: order.size, isOpen: true };
		order.set(node, own);
		open.push(node);
		for (const next of edges.get(node)?.keys() ?? []) {
			const other = order.get(next) ?? visit(next);
			if (other.isOpen) own.low = Math.min(own.low, other.low);
		}
		if (own.low === own.index) close(node);
		return own;
	};
	const close = (first: string) => {
		const group = open.splice(open.indexOf(first));
		for (const node of group) (order.get(node) as { isOpen: boolean }).isOpen = false;
		if (group.length > 1) found.push(group);
	};
	for (const node of edges.keys()) if (!order.has(node)) visit(node);
	return found;
}
