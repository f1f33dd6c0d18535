// Detects changes of the files that a program was compiled from.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * Content of a file by its path; undefined if there is no such file.
 * @typedef {ReadonlyMap<string, Uint8Array | undefined>} Contents
 */

/**
 * Hashes paths and contents; equal hashes mean equal files.
 * @param {Contents} contents
 * @returns {string} sha256, hexadecimal
 */
export function digestOf(contents) {
	const hash = createHash("sha256");
	for (const [path, bytes] of contents) {
		hash.update(`${path}\0${bytes?.length ?? "none"}\0`);
		if (bytes) hash.update(bytes);
	}
	return hash.digest("hex");
}

/**
 * Reads files. Contents are compared and not times, because an editor or a restored backup can keep a file's time.
 * @param {readonly string[]} paths
 * @returns {Contents}
 */
export function readContents(paths) {
	return new Map(paths.map((path) => [path, readIfThere(path)]));
}

/** @param {string} path */
function readIfThere(path) {
	try {
		return readFileSync(path);
	} catch {
		return undefined;
	}
}
