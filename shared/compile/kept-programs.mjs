// Stores compiled programs on disk, each in a separate folder that never changes, and finds them again.

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAY_RUN_MS, USE_EVERY_MS } from "./deadlines.mjs";
import { digestOf, readContents } from "./digest.mjs";

const MANIFEST = "manifest.json";

/** Compiled programs that are kept, the last used ones; programs that may be running are kept too. */
const MOST_KEPT = 8;

/**
 * The last file written into a program's folder.
 * @typedef {object} Manifest
 * @property {readonly string[]} inputs as in `Compiled`
 * @property {string} digest as in `Compiled`
 * @property {Readonly<Record<string, number>>} sizes bytes of each file
 */

/**
 * A compiled program that isn't stored yet.
 * @typedef {Pick<import("./compile.mjs").Compiled, "files" | "inputs" | "digest">} NewProgram
 */

/**
 * Finds a program that was compiled from the present sources.
 * @param {string} folder that `keepProgram` writes to
 * @param {string} entry path of its TypeScript file
 * @returns {string | undefined} the program's folder
 */
export function findProgram(folder, entry) {
	const kept = byLastUse(folder).filter((path) => path.startsWith(join(folder, prefixOf(entry))));
	return kept.find(isCurrent);
}

/**
 * Writes a compiled program.
 * @param {string} folder private to this user
 * @param {string} entry path of its TypeScript file
 * @param {NewProgram} compiled
 * @returns {string} the program's folder
 * @throws {Error} if it can't be written; then no file is left
 */
export function keepProgram(folder, entry, { files, inputs, digest }) {
	const own = mkdtempSync(join(folder, prefixOf(entry)));
	try {
		for (const { name, contents } of files) writeFileSync(join(own, name), contents);
		const sizes = Object.fromEntries(files.map(({ name, contents }) => [name, contents.length]));
		/** @type {Manifest} */
		const manifest = { inputs, digest, sizes };
		writeFileSync(join(own, MANIFEST), JSON.stringify(manifest));
		return own;
	} catch (error) {
		rmSync(own, { recursive: true, force: true });
		throw error;
	}
}

/**
 * Removes old programs: all except those that were used last.
 * @param {string} folder
 */
export function removeOldPrograms(folder) {
	const old = byLastUse(folder)
		.slice(MOST_KEPT)
		.filter((path) => Date.now() - lastUse(path) > MAY_RUN_MS);
	for (const path of old) rmSync(path, { recursive: true, force: true });
}

/**
 * Marks a program as in use, again and again while this process runs, because it may load files of the program later.
 * @param {string} program its folder
 */
export function useProgram(program) {
	const touch = () => {
		try {
			const now = new Date();
			utimesSync(program, now, now);
		} catch {
			// Nothing is removed from a folder that can't be written.
		}
	};
	if (Date.now() - lastUse(program) > USE_EVERY_MS) touch();
	setInterval(touch, USE_EVERY_MS).unref();
}

/** @param {string} program */
function isCurrent(program) {
	try {
		/** @type {Manifest} */
		const { inputs, digest, sizes } = JSON.parse(readFileSync(join(program, MANIFEST), "utf8"));
		const isWhole = Object.entries(sizes).every(([name, size]) => statSync(join(program, name)).size === size);
		return isWhole && digestOf(readContents(inputs)) === digest;
	} catch {
		return false; // incomplete or damaged
	}
}

/** The prefix of the names of a program's folders. @param {string} entry */
function prefixOf(entry) {
	return `${createHash("sha256").update(entry).digest("hex").slice(0, 16)}-`;
}

/** The programs in a folder, the last used first. @param {string} folder */
function byLastUse(folder) {
	const paths = readdirSync(folder).map((name) => join(folder, name));
	return paths.sort((one, other) => lastUse(other) - lastUse(one));
}

/** Milliseconds since 1970; 0 if the program doesn't exist. @param {string} program */
function lastUse(program) {
	return statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
