import { readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { newFolder } from "../new-folder.ts";
import { callHere } from "./tailtune.ts";

/** Expected exit code and error line of a refused command. */
export interface Expected {
	/** 2: wrong flags or arguments; 1: unusable input. */
	readonly exitCode: 1 | 2;
	/** The line without "tailtune: ", or a pattern for the whole line. */
	readonly message: string | RegExp;
	readonly env?: Readonly<Record<string, string>>;
	/** Whether the command may print progress first; default false. */
	readonly begins?: boolean;
}

/** Creates a working folder for commands. Links in its path are resolved, as in messages. */
export async function workFolder(): Promise<string> {
	return realpath(await newFolder());
}

export async function removeFolder(folder: string): Promise<void> {
	await rm(folder, { recursive: true, force: true });
}

/** Asserts that a command in a folder fails as expected, prints one line, and leaves the folder unchanged. */
export async function assertRefused(
	t: ExecutionContext,
	folder: string,
	args: readonly string[],
	{ exitCode, message, env, begins = false }: Expected,
): Promise<void> {
	const before = await contents(folder);
	const { stdout, stderr, ...ended } = await callHere(args, { HF_HOME: join(folder, "hub"), ...env }, folder);
	if (typeof message === "string") t.is(stderr, `tailtune: ${message}`);
	else t.regex(stderr, message);
	t.false(stderr.includes("\n"), "more than one line");
	t.is(ended.exitCode, exitCode);
	if (!begins) t.is(stdout, "");
	t.deepEqual(await contents(folder), before);
}

/** Lists a folder: files with their text (large files with size and time of the last change), and folders. */
export async function contents(folder: string): Promise<Record<string, string>> {
	const found: Record<string, string> = {};
	for (const name of (await readdir(folder, { recursive: true })).sort()) {
		const file = join(folder, name);
		const stats = await stat(file);
		if (stats.isDirectory()) found[`${name}/`] = "";
		else found[name] = stats.size < 1e4 ? await readFile(file, "latin1") : `${stats.size} bytes, ${stats.mtimeMs}`;
	}
	return found;
}
