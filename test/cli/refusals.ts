import { readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { newFolder } from "../new-folder.ts";
import { callHere } from "./tailtune.ts";

/** How a command is refused: its exit code and the one line that it prints. */
export interface Expected {
	/** 2: the command was called in a wrong way; 1: what it was given can't be used. */
	readonly exitCode: 1 | 2;
	/** All that is printed but for "tailtune: ", or what must match it. */
	readonly message: string | RegExp;
	readonly env?: Readonly<Record<string, string>>;
	/** Whether lines of progress may come before; default false. */
	readonly begins?: boolean;
}

/** A folder to run commands in, with an empty hub cache; links resolved, as messages name it. */
export async function workFolder(): Promise<string> {
	return realpath(await newFolder());
}

export async function removeFolder(folder: string): Promise<void> {
	await rm(folder, { recursive: true, force: true });
}

/** Runs a command in a folder; it must end as expected, say so in one line, and leave the folder as it was. */
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

/** Every file and folder in a folder, with the text or, of large files, the size and the time of the last change. */
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
