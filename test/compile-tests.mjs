// Compiles all test files to .tests/, so that AVA's processes load tens of files instead of hundreds, and no compiler:
// half a second less of processor time for each of them. Tests of the compiler itself load it from its own files.
import { readdirSync, rmSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, stop } from "esbuild";
import { createSettings } from "../shared/compile/compile.mjs";

const TESTS = fileURLToPath(new URL("./", import.meta.url));
const OUT = fileURLToPath(new URL("../.tests/", import.meta.url));

/** Packages that must exist once per process, or that load their own files. */
const NOT_COMPILED = /^(ava|esbuild|tsx|typescript|playwright-core)($|\/)/;

const names = readdirSync(TESTS, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".test.ts"));
const entries = Object.fromEntries(names.map((name) => [name.replace(/\.ts$/, ""), join(TESTS, name)]));
/** Modules that threads load. */
const loaded = [join(TESTS, "worker", "engine", "thread", "fake-thread-engines.ts")];
/** @param {string} name */
const locate = (name) => `new URL(${JSON.stringify(pathToFileURL(join(OUT, name)).href)})`;
const { plugins, ...settings } = createSettings(entries, new Map(), locate, loaded);

rmSync(OUT, { recursive: true, force: true });
await build({
	...settings,
	outdir: OUT,
	logLevel: "error",
	plugins: [{ name: "not compiled", setup: keepOutside }, ...plugins],
});
await stop();

/** @param {import("esbuild").PluginBuild} plugins */
function keepOutside(plugins) {
	plugins.onResolve({ filter: NOT_COMPILED }, ({ path }) => ({ path, external: true }));
	plugins.onResolve({ filter: /^\..*\.mjs$/ }, ({ path, resolveDir }) => {
		const file = resolve(resolveDir, path);
		return file.includes(`${sep}node_modules${sep}`) ? undefined : { path: pathToFileURL(file).href, external: true };
	});
}
