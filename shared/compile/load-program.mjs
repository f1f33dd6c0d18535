// Loads a TypeScript program of this package: compiled when it is used for the first time, and again when a source changed.
import { mkdtempSync, rmSync } from "node:fs";
import Module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { debuglog } from "node:util";
import { cachePath, makePrivateFolder } from "../files/private-folder.mjs";
import { findProgram, keepProgram, removeOldPrograms, useProgram } from "./kept-programs.mjs";

const log = debuglog("tailtune");

/**
 * Imports a program. With `--debug` among the flags, stack traces name its TypeScript files.
 * @param {string} source address of its TypeScript file
 * @returns {Promise<any>} what the program exports
 * @throws {Error} if it can't be compiled, or can't be written anywhere
 */
export async function loadProgram(source) {
	if (process.argv.includes("--debug")) process.setSourceMapsEnabled(true);
	const entry = fileURLToPath(source);
	const folders = makePrivateFolders();
	const program = findIn(folders, entry) ?? (await compileTo(folders, entry));
	useProgram(program);
	// Of Node 22.1 or later. It is removed together with the program.
	/** @type {{ enableCompileCache?: (folder: string) => void }} */ (Module).enableCompileCache?.(join(program, "code"));
	return import(pathToFileURL(join(program, "main.mjs")).href);
}

/** Folders for compiled programs that only this user can write to: code is run that lies there. */
function makePrivateFolders() {
	const { XDG_RUNTIME_DIR: runtime } = process.env;
	return [cachePath(), ...(runtime ? [join(runtime, "tailtune")] : [])].flatMap((folder) => {
		try {
			return [makePrivateFolder(join(makePrivateFolder(folder), "programs"))];
		} catch (error) {
			log("compiled programs aren't kept in %s: %s", folder, error);
			return [];
		}
	});
}

/**
 * @param {readonly string[]} folders
 * @param {string} entry
 */
function findIn(folders, entry) {
	for (const folder of folders) {
		const program = findProgram(folder, entry);
		if (program) return program;
	}
	return undefined;
}

/**
 * Compiles to the first folder that takes it; if none does, to a folder that is removed when this process ends.
 * @param {readonly string[]} folders
 * @param {string} entry
 */
async function compileTo(folders, entry) {
	const { compile } = await import("./compile.mjs");
	const compiled = await compile(entry);
	/** @type {unknown} */
	let failure;
	for (const place of [
		...folders.map((folder) => () => folder),
		...TEMPORARY.map((folder) => () => newFolder(folder)),
	]) {
		try {
			const folder = place();
			const program = keepProgram(folder, entry, compiled);
			removeOldPrograms(folder);
			return program;
		} catch (error) {
			log("a compiled program can't be written: %s", error);
			failure = error;
		}
	}
	throw failure;
}

/** The second one is memory that Linux lets everybody write to, also in a container without a temporary folder. */
const TEMPORARY = [tmpdir(), "/dev/shm"];

/** A new folder under a name that nobody can foresee. @param {string} above */
function newFolder(above) {
	const folder = mkdtempSync(join(above, "tailtune-"));
	process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
	return folder;
}
