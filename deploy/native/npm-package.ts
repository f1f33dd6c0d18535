import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../shared/wheels/run-program.ts";

/** Where this project lies, and with it node_modules. */
const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const PREBUILT_LIMIT_MS = 5 * 60_000;

/** The folder of an installed package. */
export function packageFolder(name: string): string {
	return join(PROJECT, "node_modules", name);
}

/** What lies in a package's folder since it was built; npm, which installs the package anew, would take it away. */
const BUILT = ["lib", "deps"];
/** Where that lies meanwhile. */
const ASIDE = packageFolder(".native");

/**
 * Adds packages without their install scripts, which would download, and without a trace in package.json.
 * @param packages as in "name@1.2.3"
 * @param others that stay as they are where they are there: npm takes away what neither package.json nor the command names
 */
export async function addPackages(packages: readonly string[], others: readonly string[]): Promise<void> {
	const kept = others.filter((one) => !packages.includes(one) && existsSync(packageFolder(nameOf(one))));
	const parts = kept.flatMap((one) => BUILT.map((part) => join(nameOf(one), part)));
	const built = parts.filter((part) => existsSync(packageFolder(part)));
	for (const part of built) await move(packageFolder(part), join(ASIDE, part));
	try {
		await npm("install", "--ignore-scripts", ...packages, ...kept);
	} finally {
		for (const part of built) await move(join(ASIDE, part), packageFolder(part));
		await rm(ASIDE, { recursive: true, force: true });
	}
}

async function move(from: string, to: string): Promise<void> {
	await rm(to, { recursive: true, force: true });
	await mkdir(dirname(to), { recursive: true });
	await rename(from, to);
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
