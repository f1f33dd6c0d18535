import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import test from "ava";
import { zipSync } from "fflate";
import { createTerminal } from "../../../coordinator/terminal/terminal.ts";
import { unpackWheel } from "../../../deploy/native/unpack-wheel.ts";
import { newFolder } from "../../new-folder.ts";

const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
const terminal = createTerminal({ stream, quiet: true });

test("a wheel gives its libraries and the headers that the addon includes, and nothing else", async (t) => {
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
	await unpackWheel(wheel, target, terminal);
	const files = (await readdir(target, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
	t.deepEqual(files.map(({ parentPath, name }) => join(parentPath, name).slice(target.length + 1)).sort(), [
		"include/tensorflow/c/c_api.h",
		"lib/libtensorflow_cc.so.2",
		"lib/libtensorflow_framework.so.2",
		"nvidia/cudnn/lib/libcudnn.so.9",
	]);
	t.true(library.equals(await readFile(join(target, "lib/libtensorflow_cc.so.2"))));
});
