import { execFileSync } from "node:child_process";
import { watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { newFolder } from "../new-folder.ts";
import type { Ended } from "./call-tailtune.ts";

/** Path of the command's script. */
export const COMMAND = fileURLToPath(new URL("../../tailtune.mjs", import.meta.url));

// A separate function, because the type of execa's result depends on its options.
const spawn = ([program, ...args]: readonly [string, ...string[]], env: Record<string, string>, cwd: string) =>
	execa(program, args, { reject: false, env, cwd });

/** Cache folder of the commands, separate from the user's own. */
export const CACHE = await newFolder();

/** Environment of the commands; without access to the network. */
const ENVIRONMENT = { HF_ENDPOINT: "http://127.0.0.1:9", NO_COLOR: "1", XDG_CACHE_HOME: CACHE };

/**
 * Starts the real command in a new process.
 * @param prefix a command before the program, for example `ip netns exec NAME`
 */
export function start(
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
	cwd = process.cwd(),
	prefix: readonly string[] = [],
): ReturnType<typeof spawn> {
	compileOnce();
	const [program = process.execPath, ...others] = [...prefix, process.execPath, COMMAND, ...args];
	return spawn([program, ...others], { ...ENVIRONMENT, ...env }, cwd);
}

let isCompiled = false;

/** Compiles the program once for all tests, to a folder that every command searches in addition to its own cache. */
export function compileOnce(): void {
	if (isCompiled) return;
	const env = { ...process.env, XDG_CACHE_HOME: process.env.XDG_RUNTIME_DIR };
	execFileSync(process.execPath, [COMMAND, "--version"], { env });
	isCompiled = true;
}

/** Runs a command to its end in this process; see `callTailtune`. */
export async function tailtune(...args: readonly string[]): Promise<Ended> {
	return callHere(args);
}

/** Runs a command like `tailtune`, with environment variables and a working folder. */
export async function callHere(
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
	cwd = process.cwd(),
): Promise<Ended> {
	// Imported here, because it loads the whole coordinator and not all test files need it.
	const { callTailtune } = await import("./call-tailtune.ts");
	const ended = await callTailtune(args, { ...ENVIRONMENT, ...env }, cwd);
	if (args.includes("--json")) await checkJson(ended);
	return ended;
}

/** Checks every line of `--json` output against the documented schemas. */
async function checkJson({ stdout, stderr }: Ended): Promise<void> {
	const { errorLineSchema, jsonLineSchema } = await import("../../coordinator/events/json-line-schemas.ts");
	for (const line of stdout.split("\n").filter(Boolean)) jsonLineSchema.parse(JSON.parse(line));
	for (const line of stderr.split("\n").filter(Boolean)) errorLineSchema.parse(JSON.parse(line));
}

/** Waits until a file with that name appears in a folder. */
export async function waitForFile(folder: string, name: string): Promise<void> {
	const signal = AbortSignal.timeout(60_000);
	for await (const { filename } of watch(folder, { signal })) if (filename === name) return;
}

/** Returns a TSV with two labels that a model can distinguish. @param texts number of texts per label */
export function sampleTexts(texts: number): string {
	const lines = Array.from({ length: texts }, (_, i) => [
		`ham\tsee you at ${i} tomorrow, ${"bring the notes ".repeat(i % 4)}please`,
		`spam\tWIN ${i} FREE prizes now!!! ${"call 0800 ".repeat(i % 5)}claim`,
	]);
	return `${lines.flat().join("\n")}\n`;
}

/** Writes these texts to a new file. @returns its path */
export async function writeTexts(texts: number): Promise<string> {
	const file = join(await newFolder(), "texts.tsv");
	await writeFile(file, sampleTexts(texts));
	return file;
}

const { TAILTUNE_TEST_BACKEND: backend } = process.env;

/** Engine flags: none, or those of the backend that `npm run test:native` tests. */
export const ENGINE: readonly string[] = backend ? ["--engine", "tfjs", "--backend", backend] : [];

/** Flags for a run of a few seconds. */
export const QUICK = [
	"--model",
	"demo",
	"--epochs",
	"2",
	"--eval-every",
	"5",
	"--lr",
	"1e-3",
	"--threads",
	"1",
	"--feature-cache",
	"0",
] as const;
