// Loads a TypeScript program of this package. It is compiled at its first use and after a change of its sources.
import { mkdtempSync, rmSync } from "node:fs";
import Module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { debuglog } from "node:util";
import { Worker } from "node:worker_threads";
import { cachePath, makePrivateFolder } from "../files/private-folder.mjs";
import { findProgram, keepProgram, removeOldPrograms, useProgram } from "./kept-programs.mjs";

const log = debuglog("tailtune");

/**
 * Imports a program. With the flag `--debug`, stack traces name its TypeScript files.
 * @param {string} source address of its TypeScript file
 * @returns {Promise<any>} the program's exports
 * @throws {Error} if it can't be compiled, or can't be written anywhere
 */
export async function loadProgram(source) {
	if (process.argv.includes("--debug")) process.setSourceMapsEnabled(true);
	const entry = fileURLToPath(source);
	const folders = makePrivateFolders();
	const program = findIn(folders, entry) ?? (await compileTo(folders, entry));
	useProgram(program);
	// Node 22.1 and later. The cache is in the program's folder, so it is removed with it.
	/** @type {{ enableCompileCache?: (folder: string) => void }} */ (Module).enableCompileCache?.(join(program, "code"));
	return import(pathToFileURL(join(program, "main.mjs")).href);
}

/** Folders for compiled programs. Only this user can write to them, because their code is run. */
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
 * Compiles to the first folder that can be written; otherwise to a folder that is removed when this process ends.
 * @param {readonly string[]} folders
 * @param {string} entry
 */
async function compileTo(folders, entry) {
	// Only for people: programs read standard error.
	if (process.stderr.isTTY) process.stderr.write("compiling Tailtune: found no compiled copy of its present files\n");
	const compiled = await compileInThread(entry);
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

/**
 * @param {string} entry
 * @returns {Promise<import("./kept-programs.mjs").NewProgram>}
 */
function compileInThread(entry) {
	return new Promise((resolve, reject) => {
		const thread = new Worker(new URL("./compile-thread.mjs", import.meta.url), { workerData: entry, execArgv: [] });
		thread.once("message", resolve);
		thread.once("error", reject);
	});
}

/** On Linux, /dev/shm can be written even in a container without a temporary folder. */
const TEMPORARY = [tmpdir(), "/dev/shm"];

/** Makes a new folder with a random name. @param {string} above */
function newFolder(above) {
	const folder = mkdtempSync(join(above, "tailtune-"));
	process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
	return folder;
}
