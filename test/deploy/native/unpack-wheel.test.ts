import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { zipSync } from "fflate";
import { unpackWheel } from "../../../deploy/native/unpack-wheel.ts";
import { newFolder } from "../../new-folder.ts";

test("only libraries and the headers that the addon includes are unpacked from a wheel", async (t) => {
	const folder = await newFolder();
	const library = Buffer.alloc(3 << 20, "library");
	const wheel = join(folder, "tensorflow.whl");
	await writeFile(
		wheel,
		zipSync({
			"tensorflow/libtensorflow_cc.so.2": library,
			"tensorflow/libtensorflow_framework.so.2": Buffer.from("framework"),
			"tensorflow/include/tensorflow/c/c_api.h": Buffer.from("header"),
			"tensorflow/include/Eigen/Core": Buffer.from("unneeded"),
			"tensorflow/python/_pywrap_tfe.so": Buffer.from("unneeded"),
			"nvidia/cudnn/lib/libcudnn.so.9": Buffer.from("cudnn"),
			"nvidia/cudnn/include/cudnn.h": Buffer.from("unneeded"),
		}),
	);
	const target = join(folder, "deps");
	await mkdir(target);
	const reports: [done: number, total: number][] = [];
	await unpackWheel(wheel, target, (...report) => reports.push(report));
	const files = (await readdir(target, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
	t.deepEqual(files.map(({ parentPath, name }) => join(parentPath, name).slice(target.length + 1)).sort(), [
		"include/tensorflow/c/c_api.h",
		"lib/libtensorflow_cc.so.2",
		"lib/libtensorflow_framework.so.2",
		"nvidia/cudnn/lib/libcudnn.so.9",
	]);
	const { size } = await stat(wheel);
	t.deepEqual(reports.at(-1), [size, size]);
	t.true(library.equals(await readFile(join(target, "lib/libtensorflow_cc.so.2"))));
});
