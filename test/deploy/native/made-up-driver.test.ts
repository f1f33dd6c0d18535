import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { packageFolder } from "../../../deploy/native/npm-package.ts";
import { RECIPES } from "../../../deploy/native/wheels.ts";
import { newFolder } from "../../new-folder.ts";

const deps = join(packageFolder(RECIPES.gpu.package), "deps");
const source = fileURLToPath(new URL("made-up-driver.c", import.meta.url));

/** Makes TensorFlow list its devices, and prints the error, which a driver that can't compute always causes. */
const LIST_DEVICES = `
	const koffi = require(${JSON.stringify(packageFolder("koffi"))});
	const tensorflow = koffi.load(${JSON.stringify(join(deps, "lib/libtensorflow_cc.so.2"))});
	const status = tensorflow.func("void *TF_NewStatus()")();
	const options = tensorflow.func("void *TFE_NewContextOptions()")();
	tensorflow.func("void *TFE_NewContext(void *, void *)")(options, status);
	console.log("status: " + tensorflow.func("const char *TF_Message(void *)")(status));`;

if (existsSync(deps)) {
	test("TensorFlow for GPUs finds all of CUDA's libraries and adds the GPU that a made-up driver reports", async (t) => {
		const driver = await newFolder();
		for (const library of ["libcuda.so.1", "libnvidia-ml.so.1"]) {
			const output = ["-o", join(driver, library)];
			await execa("gcc", ["-shared", "-fPIC", `-Wl,-soname,${library}`, ...output, source]);
		}
		const env = { LD_LIBRARY_PATH: driver, TF_CPP_VMODULE: "gpu_device=1", CUDA_VISIBLE_DEVICES: "0" };
		// After a failure to open a GPU the process crashes when TensorFlow is unloaded, so its exit code is ignored.
		const options = { env, all: true, reject: false, timeout: 120_000 } as const;
		const { all } = await execa(process.execPath, ["--eval", LIST_DEVICES], options);
		t.regex(all, /name: Made-up GPU computeCapability: 9\.0/);
		t.regex(all, /Adding visible gpu devices: 0/);
		t.notRegex(all, /Skipping registering GPU devices/);
		t.regex(all, /status: cuda\w+\(\) failed/);
	});
} else {
	test("NOT RUN on this machine: whether TensorFlow for GPUs finds CUDA's libraries", (t) => {
		t.log("npm run test:gpu-libraries adds it (3.3 GB of wheels, 5.3 GB unpacked)");
		t.pass();
	});
}
