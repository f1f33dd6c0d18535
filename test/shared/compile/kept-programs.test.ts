import { mkdir, readdir, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { digestOf, readContents } from "../../../shared/compile/digest.mjs";
import { findProgram, keepProgram, removeOldPrograms, useProgram } from "../../../shared/compile/kept-programs.mjs";
import { newFolder } from "../../new-folder.ts";

const FILES = [{ name: "main.mjs", contents: Buffer.from("export {};") }];
const HOUR_MS = 60 * 60_000;

/** A program of one source and one file that isn't there, kept. */
async function keepOne() {
	const [folder, sources] = [await newFolder(), await newFolder()];
	const [entry, missing] = [join(sources, "main.ts"), join(sources, "package.json")];
	await writeFile(entry, "1");
	const inputs = [entry, missing];
	const compiled = {
		files: FILES,
		inputs,
		digest: digestOf(readContents(inputs)),
		metafile: { inputs: {}, outputs: {} },
	};
	const program = keepProgram(folder, entry, compiled);
	return { folder, entry, missing, compiled, program };
}

test("a program is found as long as its sources are the same", async (t) => {
	const { folder, entry, program } = await keepOne();
	t.is(findProgram(folder, entry), program);
	t.is(findProgram(folder, join(folder, "other.ts")), undefined, "of another install");
	const { atime, mtime } = await stat(entry);
	await writeFile(entry, "2");
	await utimes(entry, atime, mtime);
	t.is(findProgram(folder, entry), undefined, "of the same size and time, with another content");
	await writeFile(entry, "1");
	t.is(findProgram(folder, entry), program, "as it was");
});

test("a program is not found if a file is there now that was looked for, or one of its own is damaged", async (t) => {
	const { folder, entry, missing, compiled } = await keepOne();
	await writeFile(missing, "{}");
	t.is(findProgram(folder, entry), undefined);
	const again = keepProgram(folder, entry, { ...compiled, digest: digestOf(readContents(compiled.inputs)) });
	t.is(findProgram(folder, entry), again);
	await truncate(join(again, "main.mjs"));
	t.is(findProgram(folder, entry), undefined, "as a power failure leaves it");
});

test("a program that is being written is not found, and one that can't be written leaves nothing", async (t) => {
	const { folder, entry, compiled, program } = await keepOne();
	const unwritable = { ...compiled, files: [...FILES, { name: "missing/chunk.mjs", contents: Buffer.alloc(1) }] };
	t.throws(() => keepProgram(folder, entry, unwritable), { code: "ENOENT" });
	t.is((await readdir(folder)).length, 1);
	await mkdir(`${program}x`); // the newest one, without a manifest
	t.is(findProgram(folder, entry), program);
});

test("programs are removed if eight were used later, unless they may be running", async (t) => {
	const folder = await newFolder();
	const used = async (name: string, hoursAgo: number) => {
		await mkdir(join(folder, name));
		const time = new Date(Date.now() - hoursAgo * HOUR_MS);
		await utimes(join(folder, name), time, time);
	};
	for (let i = 1; i <= 9; i++) await used(`recent-${i}`, i / 10);
	await used("old", 2);
	await used("older", 3);
	useProgram(join(folder, "older"));
	removeOldPrograms(folder);
	const expected = ["older", ...Array.from({ length: 9 }, (_, i) => `recent-${i + 1}`)];
	t.deepEqual((await readdir(folder)).sort(), expected);
});
