import { mkdir, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { runProgram } from "../../shared/wheels/run-program.ts";
import { NAPI_VERSION } from "./wheels.ts";

/** The addon's sources, as its own binding.gyp lists them. */
const SOURCES = ["binding/tfjs_backend.cc", "binding/tfjs_binding.cc"];

/** File from which the package loads the addon. */
export const ADDON = `lib/napi-v${NAPI_VERSION}/tfjs_binding.node`;

/**
 * Compiles a package's addon against the headers and libraries in its deps/. It calls the compiler directly, because
 * node-gyp needs Python and downloads Node's headers.
 * @param folder folder of the package @tensorflow/tfjs-node or -gpu
 * @throws TailtuneError "not-found" if there is no compiler, "engine" if it fails
 */
export async function compileAddon(folder: string): Promise<void> {
	const headers = dirname(createRequire(import.meta.url).resolve("node-api-headers/include/node_api.h"));
	const addon = join(folder, ADDON);
	await mkdir(dirname(addon), { recursive: true });
	const compiler = process.env.CXX || "g++";
	const args = [
		...["-std=c++17", "-O2", "-fPIC", "-shared", `-DNAPI_VERSION=${NAPI_VERSION}`],
		...["-I", headers, "-I", dirname(folder), "-I", "deps/include", ...SOURCES],
		...["-L", "deps/lib", "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"],
		// Relative to the addon, so that the folder may be moved.
		...["-Wl,-rpath,$ORIGIN/../../deps/lib", "-o", `${addon}.new`],
	];
	try {
		await runProgram(compiler, args, { cwd: folder });
	} catch (error) {
		if (!(error instanceof TailtuneError) || error.code !== "not-found") throw error;
		const how = "expected a C++ compiler (Debian's package g++, or named by CXX)";
		throw new TailtuneError("not-found", `${compiler}: no such program; ${how}`, { cause: error });
	}
	await rename(`${addon}.new`, addon);
}
