// Bundles a TypeScript program and the JavaScript packages that it uses into a few files (by esbuild), so that Node
// loads tens of files instead of hundreds, and compiles no TypeScript.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, stop } from "esbuild";
import { digestOf, readContents } from "./digest.mjs";

/** The folder of this package. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The folder of this file. */
const COMPILER = fileURLToPath(new URL("./", import.meta.url));

const { resolve: resolvePackage } = createRequire(join(ROOT, "package.json"));

/** Packages that are loaded from node_modules: native ones, and those that native packages load too. */
const NOT_COMPILED = /^(onnxruntime-|koffi$|@tensorflow\/|@stdlib\/)/;

/** The address of a thread's program, which becomes a separate file. */
const THREAD_PROGRAM = /new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g;

/** Defines `require`, which esbuild's code for CommonJS packages uses. */
const REQUIRE = `import { createRequire as requireOf } from "node:module"; const require = requireOf(${JSON.stringify(
	pathToFileURL(join(ROOT, "package.json")).href,
)});`;

/** @type {Readonly<Record<string, import("esbuild").Loader>>} */
const LOADERS = { ".ts": "ts", ".json": "json" };

/**
 * A compiled program: files of one folder.
 * @typedef {object} Compiled
 * @property {readonly { readonly name: string, readonly contents: Uint8Array }[]} files
 * @property {readonly string[]} inputs the files that it was compiled from, and paths at which no file was found
 * @property {string} digest of the inputs, as `digestOf` computes it
 * @property {import("esbuild").Metafile} metafile esbuild's description of inputs and outputs
 */

/**
 * Compiles a program. The result's main file is `main.mjs`.
 * @param {string} entry path of its TypeScript file
 * @returns {Promise<Compiled>}
 * @throws {Error} with one line for each error in the sources
 */
export async function compile(entry) {
	const read = new Map(readContents(listSettings()));
	try {
		const { outputFiles, metafile } = await build({
			...createSettings({ main: entry }, read, (name) => `new URL("./${name}", import.meta["url"])`),
			outdir: ROOT,
			sourceRoot: pathToFileURL(ROOT).href,
			minifyWhitespace: true,
			metafile: true,
			write: false,
			logLevel: "silent",
		});
		for (const [path, bytes] of readContents(listManifests([...read.keys()]))) read.set(path, bytes);
		const files = outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
		return { files, inputs: [...read.keys()], digest: digestOf(read), metafile };
	} finally {
		await stop();
	}
}

/**
 * Returns esbuild's settings for programs of this package, and for all programs of threads.
 * @param {Readonly<Record<string, string>>} entries path of each program's TypeScript file, by the name of its output
 * @param {Map<string, Uint8Array | undefined>} read receives the contents read
 * @param {(name: string) => string} locate returns an expression for the address of a thread's program, which is in the
 *   output folder
 * @param {readonly string[]} others paths of other programs that are loaded by their address
 */
export function createSettings(entries, read, locate, others = []) {
	const threads = new Set([...findThreadPrograms(), ...others]);
	const threadEntries = [...threads].map((program) => [basename(outputOf(program), ".mjs"), program]);
	/** @type {(code: string, path: string) => string} */
	const locateThreads = (code, path) =>
		code.replace(THREAD_PROGRAM, (address, name) => {
			const program = resolve(dirname(path), name);
			return threads.has(program) ? locate(outputOf(program)) : address;
		});
	return /** @satisfies {import("esbuild").BuildOptions} */ ({
		entryPoints: { ...entries, ...Object.fromEntries(threadEntries) },
		absWorkingDir: ROOT,
		outExtension: { ".js": ".mjs" },
		chunkNames: "[name]-[hash]",
		bundle: true,
		splitting: true,
		format: "esm",
		platform: "node",
		target: "node20",
		tsconfigRaw: {},
		banner: { js: REQUIRE },
		sourcemap: "linked",
		sourcesContent: false,
		legalComments: "none",
		plugins: [{ name: "sources", setup: (plugins) => readSources(plugins, read, locateThreads) }],
	});
}

/**
 * Reads the files for esbuild, so that the digest is of the compiled contents even if a file changes in the meantime.
 * @param {import("esbuild").PluginBuild} plugins
 * @param {Map<string, Uint8Array | undefined>} read receives the contents read
 * @param {(code: string, path: string) => string} locateThreads replaces the addresses of threads' programs
 */
function readSources(plugins, read, locateThreads) {
	plugins.onResolve({ filter: NOT_COMPILED }, ({ path, kind }) => {
		return { path: resolveInstalled(path, kind === "require-call", read), external: true };
	});
	plugins.onLoad({ filter: /./ }, ({ path }) => {
		const bytes = readFileSync(path);
		read.set(path, bytes);
		const loader = LOADERS[extname(path)] ?? "js";
		return { contents: loader === "json" ? bytes : placed(locateThreads(bytes.toString(), path), path), loader };
	});
}

/**
 * Rewrites a module so that it still finds the files next to its source, although its compiled code is in another
 * folder.
 * @param {string} code
 * @param {string} path of the source
 */
function placed(code, path) {
	const urls = code
		.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
		.replaceAll("import.meta.dirname", JSON.stringify(dirname(path)));
	if (!/__dirname|__filename/.test(urls) || /(const|let|var) __(dir|file)name/.test(urls)) return urls;
	return `var __dirname = ${JSON.stringify(dirname(path))}, __filename = ${JSON.stringify(path)};${urls}`;
}

/**
 * Resolves an installed package to a file. A package that isn't installed is resolved again when the program runs.
 * @param {string} name
 * @param {boolean} isRequired by `require`, and not by `import`
 * @param {Map<string, Uint8Array | undefined>} read receives the manifests found, and the paths without one
 */
function resolveInstalled(name, isRequired, read) {
	const parts = name.split("/", name.startsWith("@") ? 2 : 1);
	for (const folder of resolvePackage.paths(name) ?? []) {
		const manifest = join(folder, ...parts, "package.json");
		const [[, bytes] = []] = readContents([manifest]);
		read.set(manifest, bytes);
		if (bytes) break;
	}
	try {
		return isRequired ? resolvePackage(name) : import.meta.resolve(name);
	} catch {
		return name;
	}
}

/** What decides, besides the sources, how they are compiled: this compiler, and what is installed. */
function listSettings() {
	const installed = dirname(dirname(resolvePackage("esbuild/package.json")));
	return [
		join(installed, "esbuild", "package.json"),
		join(installed, ".package-lock.json"),
		join(ROOT, "package.json"),
		join(ROOT, "package-lock.json"),
		...readdirSync(COMPILER).map((name) => join(COMPILER, name)),
	];
}

/**
 * The package.json of each package of which sources were compiled.
 * @param {readonly string[]} sources
 */
function listManifests(sources) {
	const packages = sources.map((path) => /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0]);
	return [...new Set(packages)].flatMap((folder) => (folder ? [join(folder, "package.json")] : []));
}

/** Finds every thread program of this package. Threads are started by an address, which esbuild doesn't follow. */
function findThreadPrograms() {
	/** @type {{ files: string[] }} */
	const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
	const folders = files
		.map((name) => join(ROOT, name))
		.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
	const sources = folders.flatMap((folder) =>
		readdirSync(folder, { recursive: true, encoding: "utf8" })
			.filter((name) => name.endsWith(".ts"))
			.map((name) => join(folder, name)),
	);
	return new Set(
		sources.flatMap((source) =>
			[...readFileSync(source, "utf8").matchAll(THREAD_PROGRAM)].map(([, program]) =>
				resolve(dirname(source), program ?? ""),
			),
		),
	);
}

/**
 * The name of a thread program's compiled file. All compiled files are in one folder.
 * @param {string} program its path
 */
function outputOf(program) {
	return `${relative(ROOT, program).replaceAll(/[\\/]/g, "-").replace(/\.ts$/, "")}.mjs`;
}
