// npm run native -- cpu|gpu: native TensorFlow for this machine, without Python.
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

/** All that this command ever adds. */
const ADDED = [
	...Object.values(RECIPES).map(({ package: name }) => `${name}@${TFJS_VERSION}`),
	NODE_API_HEADERS,
	...WEBGPU_PACKAGES,
];

const program = new Command("npm run native --")
	.description("adds native TensorFlow (built from tfjs-node's sources against the libraries of a wheel) or WebGPU")
	.addArgument(new Argument("<kind>", "for the processor, NVIDIA GPUs, or any GPU").choices(["cpu", "gpu", "webgpu"]))
	.option(
		"--wheels <where>",
		"a folder that holds the wheels, or a URL under which they lie; default: pip downloads them",
	)
	.option("--prebuilt", "take what the package's makers built, unchecked: no checksum of it is known (cpu only)")
	.option("--remove", "take it away again, and the cached wheels too")
	.action(async (kind: NativeKind | "webgpu", options: Options) => {
		const output = new Output();
		if (options.remove) await remove(output);
		else if (kind === "webgpu") await installWebgpu(output);
		else await install(kind, options, output);
	});

async function installWebgpu(output: Output): Promise<void> {
	await addPackages(WEBGPU_PACKAGES, ADDED);
	output.line(`installed: ${WEBGPU_PACKAGES.join(", ")}; tailtune doctor says which device it finds`);
}

async function install(kind: NativeKind, { wheels, prebuilt }: Options, output: Output): Promise<void> {
	const { package: name } = RECIPES[kind];
	output.line(`${name}: installing`);
	await addPackages([`${name}@${TFJS_VERSION}`, NODE_API_HEADERS], ADDED);
	if (!prebuilt) await buildFromWheels(kind, wheels, output);
	// The makers' addon for GPUs is of 2022 and asks for CUDA 11.2.
	else if (kind === "cpu") await fetchPrebuilt(name, kind);
	else throw new TailtuneError("usage", `--prebuilt: found ${kind}, expected cpu`);
	output.line(`${name}: ${await check(name)}`);
}

async function buildFromWheels(kind: NativeKind, source: string | undefined, output: Output): Promise<void> {
	if (process.platform !== "linux" || process.arch !== "x64") {
		const found = `${process.platform} ${process.arch}`;
		throw new TailtuneError(
			"engine",
			`found ${found}, expected linux x64, or cpu --prebuilt: no wheels are pinned for others`,
		);
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

/** Loads it as a worker would, in a process of its own. */
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
