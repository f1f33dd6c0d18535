import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import type { Metafile } from "esbuild";
import { execa } from "execa";
import { compile } from "../../shared/compile/compile.mjs";
import { layOutApp } from "../deploy/image.ts";
import { newFolder } from "../new-folder.ts";
import { CACHE, COMMAND, compileOnce, start, tailtune } from "./tailtune.ts";

/** The sources and imports of each compiled file. */
const { metafile } = await compile(fileURLToPath(new URL("../../tailtune.ts", import.meta.url)));

const VERSION = /^\d+\.\d+\.\d+$/;

/** Creates an environment without a compiled program. */
async function newPlace() {
	const [temporary, base] = [await newFolder(), await newFolder()];
	const env = { TMPDIR: temporary, XDG_RUNTIME_DIR: join(base, "run"), XDG_CACHE_HOME: join(base, "cache") };
	return { temporary, base, env };
}

const run = (env: Record<string, string>, args: readonly string[], command = COMMAND) =>
	execa(process.execPath, [command, ...args], { env, reject: false });

test("--version prints the version in package.json", async (t) => {
	const { version } = JSON.parse(await readFile("package.json", "utf8"));
	const { exitCode, stdout } = await tailtune("--version");
	t.is(exitCode, 0);
	t.is(stdout, version);
});

/** Returns a file of the compiled program and all files and packages that it imports statically. */
function closureOf(outputs: Metafile["outputs"], file: string, found = new Set<string>()): Set<string> {
	if (found.has(file)) return found;
	found.add(file);
	const imports = outputs[file]?.imports ?? [];
	for (const { path, kind } of imports) if (kind !== "dynamic-import") closureOf(outputs, path, found);
	return found;
}

/** Returns the packages that a file of the compiled program imports statically. */
function packagesOf(outputs: Metafile["outputs"], file: string): string[] {
	const packages = [...closureOf(outputs, file)].flatMap((path) => {
		const sources = Object.keys(outputs[path]?.inputs ?? {});
		const own = sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
		return path in outputs ? own : [path];
	});
	return [...new Set(packages)];
}

// Unused libraries once took a third of the start-up time.
test("no command statically imports a library for clusters, servers or engines", (t) => {
	const { outputs } = metafile;
	const commands = Object.keys(outputs).filter((file) => /-command\.ts$/.test(outputs[file]?.entryPoint ?? ""));
	t.is(commands.length, 15);
	for (const file of commands) {
		const packages = packagesOf(outputs, file);
		for (const library of [
			/^nats$/,
			/grpc/,
			/protobuf/,
			/^hono$/,
			/^pino$/,
			/^prom-client$/,
			/tensorflow/,
			/onnxruntime/,
		])
			t.deepEqual(
				packages.filter((name) => library.test(name)),
				[],
				file,
			);
	}
	t.true(packagesOf(outputs, "main.mjs").includes("commander"), "packages are listed");
	t.false(packagesOf(outputs, "main.mjs").includes("zod"), "--version needs no settings");
});

const NOWHERE = "nats://127.0.0.1:9";

/** Each command, with arguments that let it fail soon after its implementation was loaded, and its first line. */
const FIRST_LINES: readonly (readonly [line: string, name: string, ...args: string[]])[] = [
	["reading nix.tsv", "train", "--data", "nix.tsv"],
	["preparing the trials", "sweep", "--data", "nix.tsv"],
	["reading nix.tsv", "evaluate", "nix", "--data", "nix.tsv"],
	["reading nix, nax", "compare", "nix", "nax"],
	["reading the runs in nix", "ui", "nix"],
	["opening nix", "classify", "nix", "a text"],
	["opening nix", "serve", "nix", "--listen", "127.0.0.1:0"],
	["converting nix to hf", "export", "nix", "--format", "hf", "--out", "nax"],
	["preparing the files of nix", "push", "nix", "a/b", "--dry-run"],
	["reading nix.tsv", "doctor", "nix.tsv"],
	["getting texts and a model", "quickstart", "--threads", "nix"],
	[`connecting to ${NOWHERE}`, "worker", "--nats", NOWHERE],
	["reading nix", "runs", "nix"],
	[`reading the workers of ${NOWHERE}`, "workers", "--nats", NOWHERE],
	[`looking for run nix at ${NOWHERE}`, "cancel", "nix", "--nats", NOWHERE],
];

/** Times of the process: long after its start, and long before. */
const [LATE_MS, EARLY_MS] = [1e6, -1e9];

const commands = runCommands();

/** Runs all commands in one process, at two times of its clock. @returns the lines of standard error of each */
async function runCommands(): Promise<string[][]> {
	compileOnce();
	const script = fileURLToPath(new URL("run-commands.mjs", import.meta.url));
	const env = { XDG_CACHE_HOME: CACHE, HF_ENDPOINT: "http://127.0.0.1:9" };
	const commands = [LATE_MS, EARLY_MS].flatMap((clockMs) => FIRST_LINES.map(([, ...args]) => [clockMs, ...args]));
	const options = { env, cwd: await newFolder(), reject: false };
	const { stderr } = await execa(process.execPath, [script, JSON.stringify(commands)], options);
	const parts = stderr.split(/^run .*\n/m).slice(1);
	return parts.map((part) => part.trim().split("\n"));
}

// Loading takes seconds on a busy machine.
test("on a terminal each command prints what it does before it loads more than its command line", async (t) => {
	const { outputs } = metafile;
	const printed = await commands;
	for (const [at, [line, name]] of FIRST_LINES.entries()) {
		const lines = printed[at] ?? [];
		const before = lines.slice(0, lines.indexOf(line)).map((loaded) => loaded.replace(/^loaded /, ""));
		const chunk = Object.keys(outputs).find((file) => outputs[file]?.entryPoint?.endsWith(`/cli/${name}-command.ts`));
		const allowed = closureOf(outputs, chunk ?? "");
		t.true(lines.includes(line), `${name}: ${lines.join("; ")}`);
		t.true(before.length > 0, name);
		t.deepEqual(
			before.filter((file) => !allowed.has(file)),
			[],
			name,
		);
	}
});

test("a command that usually ends within a second prints what it does only if it takes longer", async (t) => {
	const printed = (await commands).slice(FIRST_LINES.length);
	const silent = FIRST_LINES.filter(([line], at) => !printed[at]?.includes(line));
	t.deepEqual(
		silent.map(([, name]) => name),
		["compare", "classify", "runs", "workers", "cancel"],
	);
});

// esbuild makes such a chunk from a CommonJS package in an `import()`: the named exports are missing.
test("no dynamic import of a package has only a default export", (t) => {
	const chunks = Object.entries(metafile.outputs).filter(([, { entryPoint = "" }]) => /node_modules/.test(entryPoint));
	t.deepEqual(
		chunks.filter(([, { exports }]) => exports.join() === "default").map(([, { entryPoint }]) => entryPoint),
		[],
	);
});

test("a changed source is compiled again, even if its size and time are the same", async (t) => {
	const app = await layOutApp();
	const { env } = await newPlace();
	const help = async () => (await run(env, ["--help"], join(app, "tailtune.mjs"))).stdout;
	t.regex(await help(), /Fine-tunes a GPT-2/);
	const source = join(app, "coordinator", "main.ts");
	const { atime, mtime } = await stat(source);
	await writeFile(source, (await readFile(source, "utf8")).replace("Fine-tunes a GPT-2", "Fine-TUNES a GPT-2"));
	await utimes(source, atime, mtime);
	t.regex(await help(), /Fine-TUNES a GPT-2/);
	await writeFile(source, "const = 1;");
	const { exitCode, stderr } = await run(env, ["--help"], join(app, "tailtune.mjs"));
	t.is(exitCode, 1);
	t.regex(stderr, /^tailtune: can't start: .*coordinator\/main\.ts:1:6: ERROR: .*$/);
});

test("two first commands at the same time both work, and the next one compiles nothing", async (t) => {
	const { env, base } = await newPlace();
	for (const { stdout, exitCode } of await Promise.all([run(env, ["--version"]), run(env, ["--version"])])) {
		t.is(exitCode, 0);
		t.regex(stdout, VERSION);
	}
	const programs = join(base, "cache", "tailtune", "programs");
	const compiled = await readdir(programs);
	t.true(compiled.length > 0);
	t.regex((await run(env, ["--version"])).stdout, VERSION);
	t.deepEqual(await readdir(programs), compiled);
});

test("a command runs without a private folder for the compiled program, and leaves no files", async (t) => {
	const { temporary, base, env } = await newPlace();
	await mkdir(env.XDG_RUNTIME_DIR);
	await mkdir(env.XDG_CACHE_HOME);
	// Links as an attacker could create them to run other code.
	for (const folder of [env.XDG_RUNTIME_DIR, env.XDG_CACHE_HOME]) await symlink(base, join(folder, "tailtune"));
	const { stdout, stderr } = await run(env, ["--version"]);
	t.regex(stdout, VERSION);
	t.is(stderr, "");
	t.deepEqual(await readdir(temporary), []);
	t.deepEqual((await readdir(base)).sort(), ["cache", "run"]);
});

test("with --debug an error names its TypeScript file and line", async (t) => {
	const file = "coordinator/classify/classifier-settings.ts";
	const { exitCode, stderr } = await start(["classify", await newFolder(), "a text", "--debug"]);
	t.is(exitCode, 1);
	const [, line = ""] = new RegExp(`${file}:(\\d+):\\d+`).exec(String(stderr)) ?? [];
	const lines = (await readFile(file, "utf8")).split("\n");
	t.regex(lines[Number(line) - 1] ?? "", /new TailtuneError\("not-found"/);
});
