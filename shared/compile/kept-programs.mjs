// Keeps compiled programs on disk, each in a folder of its own that never changes, and finds them again.

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAY_RUN_MS, USE_EVERY_MS } from "./deadlines.mjs";
import { digestOf, readContents } from "./digest.mjs";

const MANIFEST = "manifest.json";

/** Compiled programs that are kept, the ones used last, besides those that may be running. */
const MOST_KEPT = 8;

/**
 * What is written beside a program's files, after them.
 * @typedef {object} Manifest
 * @property {readonly string[]} inputs as in `Compiled`
 * @property {string} digest as in `Compiled`
 * @property {Readonly<Record<string, number>>} sizes bytes of each file
 */

/**
 * Looks for a program that was compiled from its sources as they are now.
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
 * @param {import("./compile.mjs").Compiled} compiled
 * @returns {string} the program's folder
 * @throws {Error} if it can't be written; then nothing of it is left
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
 * Removes programs that nobody uses any more: all but those that were used last.
 * @param {string} folder
 */
export function removeOldPrograms(folder) {
	const old = byLastUse(folder)
		.slice(MOST_KEPT)
		.filter((path) => Date.now() - lastUse(path) > MAY_RUN_MS);
	for (const path of old) rmSync(path, { recursive: true, force: true });
}

/**
 * Says from now on that a program is in use, as long as this process lives: it loads files of the program later, too.
 * @param {string} program its folder
 */
export function useProgram(program) {
	const touch = () => {
		try {
			const now = new Date();
			utimesSync(program, now, now);
		} catch {
			// In a folder that can't be written to, nothing is removed either.
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
		return false; // it is being written, or was damaged
	}
}

/** How the folders of a program are named. @param {string} entry */
function prefixOf(entry) {
	return `${createHash("sha256").update(entry).digest("hex").slice(0, 16)}-`;
}

/** The programs in a folder, the one that was used last first. @param {string} folder */
function byLastUse(folder) {
	const paths = readdirSync(folder).map((name) => join(folder, name));
	return paths.sort((one, other) => lastUse(other) - lastUse(one));
}

/** In milliseconds since 1970; 0 if it is gone. @param {string} program */
function lastUse(program) {
	return statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
