import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { TailtuneError } from "../../../shared/errors.ts";
import { asDiskError, replaceFile, writeFileAtomic, writeJson } from "../../../shared/files/write-atomic.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "write-atomic-"));
	try {
		await use(folder);
	} finally {
		await rm(folder, { recursive: true });
	}
}

test("writes text as UTF-8 and bytes unchanged, and leaves no other file in the folder", (t) =>
	withFolder(async (folder) => {
		await writeFileAtomic(join(folder, "text"), "größer\n");
		await writeFileAtomic(join(folder, "bytes"), new Uint8Array([0, 255, 10]));
		t.is(await readFile(join(folder, "text"), "utf8"), "größer\n");
		t.deepEqual([...(await readFile(join(folder, "bytes")))], [0, 255, 10]);
		t.deepEqual((await readdir(folder)).sort(), ["bytes", "text"]);
	}));

test("writes JSON that ends in a newline", (t) =>
	withFolder(async (folder) => {
		await writeJson(join(folder, "x.json"), { a: [1] });
		t.is(await readFile(join(folder, "x.json"), "utf8"), '{\n\t"a": [\n\t\t1\n\t]\n}\n');
	}));

test("keeps the old content until the new one is complete", (t) =>
	withFolder(async (folder) => {
		const path = join(folder, "x");
		await writeFileAtomic(path, "old");
		await replaceFile(path, async (file) => {
			await file.writeFile("new");
			t.is(await readFile(path, "utf8"), "old");
		});
		t.is(await readFile(path, "utf8"), "new");
	}));

test("keeps the old content and leaves no temporary file if writing fails", (t) =>
	withFolder(async (folder) => {
		const path = join(folder, "x");
		await writeFileAtomic(path, "old");
		const failure = new TailtuneError("diverged", "not finite");
		await t.throwsAsync(
			replaceFile(path, () => Promise.reject(failure)),
			{ is: failure },
		);
		t.is(await readFile(path, "utf8"), "old");
		t.deepEqual(await readdir(folder), ["x"]);
	}));

test("reports a full disk with the name of the file", (t) => {
	const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
	const error = asDiskError("run/result.json", full);
	t.true(error instanceof TailtuneError && error.code === "disk" && error.cause === full);
	t.is((error as TailtuneError).message, "run/result.json: can't be written: no space is left on the disk");
});

test("refuses a missing folder, and a path that is a folder", (t) =>
	withFolder(async (folder) => {
		await mkdir(join(folder, "taken", "full"), { recursive: true });
		await writeFile(join(folder, "taken", "full", "x"), "");
		await t.throwsAsync(writeFileAtomic(join(folder, "none", "x"), ""), {
			instanceOf: TailtuneError,
			message: /none.x: can't be written: the folder doesn't exist$/,
		});
		await t.throwsAsync(writeFileAtomic(join(folder, "taken"), ""), { instanceOf: TailtuneError, code: "disk" });
		t.deepEqual(await readdir(folder), ["taken"]);
	}));
