import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { checkValue } from "../../shared/check-value.ts";
import { PREBUILT_DOWNLOAD_MS } from "../../shared/deadlines.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { parseJsonText } from "../../shared/files/json-file.ts";
import { runProgram } from "../../shared/wheels/run-program.ts";

/** Folder of this project. */
const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
/** Returns the folder of an installed package. */
export function packageFolder(name: string): string {
	return join(PROJECT, "node_modules", name);
}

/** File with the checksums of all packages that this command may add, and the date for which npm resolves versions. */
const PINNED = "deploy/native/npm-packages.json";
const PINNED_AT = "2026-11-28T00:00:00Z";

const MODULES = "node_modules/";
/** npm's own list of what it installed. */
const INSTALLED = `${MODULES}.package-lock.json`;

const lockSchema = z.object({
	packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});

/** A lock file of npm: packages by their paths. */
export type Lock = z.infer<typeof lockSchema>;

/** Folders with built files in a package; npm would delete them when it reinstalls the package. */
const BUILT = ["lib", "deps"];
/** Keeps those folders while npm runs. */
const ASIDE = packageFolder(".native");

/**
 * Installs packages without their install scripts, which would download files, and without changes to package.json. The
 * checksums of the packages and their dependencies are verified (npm-packages.json) before any of their code runs.
 * @param packages for example "name@1.2.3"
 * @param others packages to keep if installed: npm removes packages that neither package.json nor the command names
 * @throws TailtuneError "checksum" that names the package; `packages` are removed then
 */
export async function addPackages(packages: readonly string[], others: readonly string[]): Promise<void> {
	const kept = others.filter((one) => !packages.includes(one) && existsSync(packageFolder(nameOf(one))));
	const parts = kept.flatMap((one) => BUILT.map((part) => join(nameOf(one), part)));
	const built = parts.filter((part) => existsSync(packageFolder(part)));
	for (const part of built) await move(packageFolder(part), join(ASIDE, part));
	try {
		await npm("install", "--ignore-scripts", `--before=${PINNED_AT}`, ...packages, ...kept);
		await checkPackages();
	} catch (error) {
		await removePackages(packages.map(nameOf));
		throw error;
	} finally {
		for (const part of built) await move(join(ASIDE, part), packageFolder(part));
		await rm(ASIDE, { recursive: true, force: true });
	}
}

async function checkPackages(): Promise<void> {
	const [locked, installed] = await Promise.all([
		readJsonAs(lockSchema, "package-lock.json"),
		readJsonAs(lockSchema, INSTALLED),
	]);
	const pinned = await readJsonAs(z.record(z.string(), z.string()), PINNED);
	const [unknown] = unknownPackages(installed, locked, pinned);
	if (unknown === undefined) return;
	throw new TailtuneError("checksum", `${unknown}: checksum not found in package-lock.json or ${PINNED}`);
}

/**
 * Returns the installed packages whose checksum is unknown.
 * @param installed npm's list of the packages in node_modules
 * @param locked package-lock.json
 * @param pinned checksums by name@version
 * @returns name@version of each
 */
export function unknownPackages(installed: Lock, locked: Lock, pinned: Readonly<Record<string, string>>): string[] {
	const found = Object.entries(installed.packages).filter(
		([path, { integrity }]) => integrity === undefined || locked.packages[path]?.integrity !== integrity,
	);
	return found.flatMap(([path, { version, integrity }]) => {
		const name = `${path.slice(path.lastIndexOf(MODULES) + MODULES.length)}@${version}`;
		return integrity !== undefined && pinned[name] === integrity ? [] : [name];
	});
}

async function readJsonAs<T>(schema: z.ZodType<T>, file: string): Promise<T> {
	const path = join(PROJECT, file);
	const text = await readFile(path, "utf8").catch((cause) => {
		throw new TailtuneError("not-found", `${path}: can't be read, expected a clone with installed packages`, { cause });
	});
	return checkValue(schema, parseJsonText(text, path, "data"), path, "data");
}

async function move(from: string, to: string): Promise<void> {
	await rm(to, { recursive: true, force: true });
	await mkdir(dirname(to), { recursive: true });
	await rename(from, to);
}

/** Returns the name in "name@1.2.3". */
export function nameOf(wanted: string): string {
	return wanted.replace(/(?<=.)@.*$/, "");
}

/** Uninstalls packages. */
export async function removePackages(names: readonly string[]): Promise<void> {
	await npm("uninstall", ...names);
}

/** Runs the package's own download of a built addon. @throws TailtuneError if it fails */
export async function fetchPrebuilt(name: string, kind: string): Promise<void> {
	const path = `${join(PROJECT, "node_modules", ".bin")}:${process.env.PATH}`;
	const script = ["scripts/install.js", kind, "download"];
	await runProgram("env", [`PATH=${path}`, process.execPath, ...script], {
		cwd: packageFolder(name),
		limitMs: PREBUILT_DOWNLOAD_MS,
	});
}

async function npm(...args: readonly string[]): Promise<void> {
	await runProgram("npm", [...args, "--no-save", "--no-audit", "--no-fund"], { cwd: PROJECT });
}
