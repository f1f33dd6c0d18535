import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = /^((coordinator|worker|shared|deploy)\/.*|tailtune)\.(ts|mjs|js)$/;

/** The text of each file of the program, by its path from the root. */
export async function readSources(): Promise<Map<string, string>> {
	const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root });
	const files = stdout.split("\n").filter((file) => SOURCE.test(file));
	const texts = await Promise.all(files.map((file) => readFile(join(root, file), "utf8")));
	return new Map(files.map((file, i) => [file, texts[i] as string]));
}

/** Each file's syntax tree. */
export function parseSources(sources: ReadonlyMap<string, string>): ts.SourceFile[] {
	return [...sources].map(([file, text]) => ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true));
}

/** All nodes of a tree, from its root down. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
	yield node;
	for (const child of node.getChildren()) yield* nodesOf(child);
}

/** FILE:LINE of a node. */
export function placeOf(node: ts.Node): string {
	const source = node.getSourceFile();
	return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}
