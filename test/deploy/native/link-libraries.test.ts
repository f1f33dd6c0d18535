import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { linkLibraries, runPathOf } from "../../../deploy/native/link-libraries.ts";
import { newFolder } from "../../new-folder.ts";

function reportOf(path: string): string {
	return ` 0x1 (NEEDED)  Shared library: [libdl.so.2]\n 0x1d (RUNPATH)  Library runpath: [${path}]\n`;
}

test("$ORIGIN in a run path is the library's folder, and each folder is listed once", (t) => {
	const report = reportOf("$ORIGIN/../nvidia/b/lib:$ORIGIN/../nvidia/a/lib:$ORIGIN/../nvidia/b/lib");
	t.deepEqual(runPathOf(report, "/deps/lib"), ["/deps/nvidia/b/lib", "/deps/nvidia/a/lib"]);
});

test("a library without a run path has no folders to search", (t) => {
	t.deepEqual(runPathOf(" 0x1 (NEEDED)  Shared library: [libdl.so.2]\n", "/deps/lib"), []);
});

/** Makes a deps/ folder with these libraries; the content of each is its path. */
async function makeDeps(...paths: string[]): Promise<string> {
	const deps = await newFolder();
	for (const path of paths) {
		await mkdir(dirname(join(deps, path)), { recursive: true });
		await writeFile(join(deps, path), path);
	}
	return deps;
}

test("libraries outside the run path are linked into it, and only those", async (t) => {
	const deps = await makeDeps(
		"nvidia/cuda_runtime/lib/libcudart.so.12",
		"nvidia/cusolver/lib/libcusolver.so.11",
		"nvidia/cusolver/lib/notes.txt",
		"nvidia/cuda_nvcc/bin/ptxas",
	);
	const searched = ["nvidia/nccl/lib", "nvidia/cuda_runtime/lib"].map((folder) => join(deps, folder));
	await linkLibraries(deps, searched);
	const folder = join(deps, "nvidia/cuda_runtime/lib");
	t.deepEqual((await readdir(folder)).sort(), ["libcudart.so.12", "libcusolver.so.11"]);
	t.is(await readFile(join(folder, "libcusolver.so.11"), "utf8"), "nvidia/cusolver/lib/libcusolver.so.11");
});

test("a run path that names no folder of the wheels is an error", async (t) => {
	const deps = await makeDeps("nvidia/cusolver/lib/libcusolver.so.11");
	await t.throwsAsync(linkLibraries(deps, ["/usr/lib"]), { code: "engine", message: /run path names no folder/ });
});
