// npm run native -- cpu|gpu|webgpu: installs native TensorFlow or WebGPU on this machine, without Python.
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { exitCodeOf, TailtuneError } from "../../shared/errors.ts";
import { printable } from "../../shared/printable.ts";
import { obtainWheel, wheelCache } from "../../shared/wheels/obtain-wheel.ts";
import { runProgram } from "../../shared/wheels/run-program.ts";
import { checkLinks } from "./check-links.ts";
import { compileAddon } from "./compile-addon.ts";
import { findSearchedFolders, linkLibraries } from "./link-libraries.ts";
import { addPackages, fetchPrebuilt, nameOf, packageFolder, removePackages } from "./npm-package.ts";
import { Output } from "./output.ts";
import { unpackWheel } from "./unpack-wheel.ts";
import { type NativeKind, NODE_API_HEADERS, RECIPES, TFJS_VERSION, WEBGPU_PACKAGES } from "./wheels.ts";

interface Options {
	readonly wheels?: string;
	readonly prebuilt?: boolean;
	readonly remove?: boolean;
}

/** All packages that this command may add. */
const ADDED = [
	...Object.values(RECIPES).map(({ package: name }) => `${name}@${TFJS_VERSION}`),
	NODE_API_HEADERS,
	...WEBGPU_PACKAGES,
];

const program = new Command("npm run native --")
	.description("installs native TensorFlow (tfjs-node's sources, built against the libraries of a wheel) or WebGPU")
	.addArgument(
		new Argument(
			"<kind>",
			"cpu: TensorFlow for the processor; gpu: TensorFlow for NVIDIA GPUs; webgpu: any GPU",
		).choices(["cpu", "gpu", "webgpu"]),
	)
	.option("--wheels <where>", "folder or URL with the wheels; default: pip downloads them")
	.option("--prebuilt", "download the addon built by the package's authors, without a checksum (cpu only)")
	.option("--remove", "remove all packages that this command adds, and the cached wheels")
	.action(async (kind: NativeKind | "webgpu", options: Options) => {
		const output = new Output();
		if (options.remove) await remove(output);
		else if (kind === "webgpu") await installWebgpu(output);
		else await install(kind, options, output);
	});

async function installWebgpu(output: Output): Promise<void> {
	await addPackages(WEBGPU_PACKAGES, ADDED);
	output.line(`installed: ${WEBGPU_PACKAGES.join(", ")}; tailtune doctor prints the device`);
}

async function install(kind: NativeKind, { wheels, prebuilt }: Options, output: Output): Promise<void> {
	const { package: name } = RECIPES[kind];
	output.line(`${name}: installing`);
	await addPackages([`${name}@${TFJS_VERSION}`, NODE_API_HEADERS], ADDED);
	if (!prebuilt) await buildFromWheels(kind, wheels, output);
	// The authors' addon for GPUs is from 2022 and needs CUDA 11.2.
	else if (kind === "cpu") await fetchPrebuilt(name, kind);
	else throw new TailtuneError("usage", `--prebuilt: found ${kind}, expected cpu`);
	output.line(`${name}: ${await check(name)}`);
}

async function buildFromWheels(kind: NativeKind, source: string | undefined, output: Output): Promise<void> {
	if (process.platform !== "linux" || process.arch !== "x64") {
		const found = `${process.platform} ${process.arch}`;
		throw new TailtuneError("engine", `found ${found}, expected linux x64; for other systems use cpu --prebuilt`);
	}
	const folder = packageFolder(RECIPES[kind].package);
	const aside = join(folder, "deps.new");
	await rm(aside, { recursive: true, force: true });
	for (const wheel of RECIPES[kind].wheels) {
		await unpackWheel(await obtainWheel(wheel, source, output), aside, output.download(`${wheel.file}: unpacking`));
	}
	if (kind === "gpu") await linkLibraries(aside, await findSearchedFolders(aside));
	await rm(join(folder, "deps"), { recursive: true, force: true });
	await rename(aside, join(folder, "deps"));
	output.line("compiling the addon");
	await compileAddon(folder);
	for (const part of ["lib", "deps"]) await checkLinks(join(folder, part));
}

/** Loads the package in a separate process, in the same way as a worker. @returns version and device of TensorFlow */
async function check(name: string): Promise<string> {
	const script = `
		const util = require("node:util");
		util.isNullOrUndefined = (value) => value === null || value === undefined;
		const tf = require(${JSON.stringify(name)});
		const { TF_Version: version } = tf.backend().binding;
		process.stdout.write("TensorFlow " + version + (tf.backend().isUsingGpuDevice ? " on GPU" : " on CPU"));`;
	return runProgram(process.execPath, ["--eval", script], { cwd: packageFolder("..") });
}

async function remove(output: Output): Promise<void> {
	await removePackages(ADDED.map(nameOf));
	await rm(wheelCache(), { recursive: true, force: true });
	output.line("native TensorFlow is removed");
}

try {
	await program.parseAsync();
} catch (error) {
	const message = error instanceof TailtuneError ? error.message : String(error);
	process.stderr.write(`native: ${printable(message)}\n`);
	process.exitCode = exitCodeOf(error);
}
