import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "./run-program.ts";

/** Where this project lies, and with it node_modules. */
const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const PREBUILT_LIMIT_MS = 5 * 60_000;

/** The folder of an installed package. */
export function packageFolder(name: string): string {
	return join(PROJECT, "node_modules", name);
}

/**
 * Adds packages without their install scripts, which would download, and without a trace in package.json.
 * @param packages as in "name@1.2.3"
 * @param others that stay where they are there: npm takes away what neither package.json nor the command names
 */
export async function addPackages(packages: readonly string[], others: readonly string[]): Promise<void> {
	const kept = others.filter((one) => existsSync(packageFolder(nameOf(one))));
	await npm("install", "--ignore-scripts", ...new Set([...packages, ...kept]));
}

/** The name in "name@1.2.3". */
export function nameOf(wanted: string): string {
	return wanted.replace(/(?<=.)@.*$/, "");
}

/** Takes packages away again. */
export async function removePackages(names: readonly string[]): Promise<void> {
	await npm("uninstall", ...names);
}

/** Has the package fetch what its makers built for it. Throws TailtuneError where that can't be had. */
export async function fetchPrebuilt(name: string, kind: string): Promise<void> {
	const path = `${join(PROJECT, "node_modules", ".bin")}:${process.env.PATH}`;
	const script = ["scripts/install.js", kind, "download"];
	await runProgram("env", [`PATH=${path}`, process.execPath, ...script], {
		cwd: packageFolder(name),
		limitMs: PREBUILT_LIMIT_MS,
	});
}

async function npm(...args: readonly string[]): Promise<void> {
	await runProgram("npm", [...args, "--no-save", "--no-audit", "--no-fund"], { cwd: PROJECT });
}
