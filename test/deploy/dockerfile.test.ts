import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import test from "ava";
import { validate } from "dockerfile-utils";
import { layOutApp, listCopiedPaths, listInstructions, readDockerfile, readEntrypoint } from "./image.ts";

const execute = promisify(execFile);

/** Targets of the images: the default one of `docker build`, and `--target gpu`. */
const IMAGES: readonly (string | undefined)[] = [undefined, "gpu"];

test("the Dockerfile passes a linter", async (t) => {
	t.deepEqual(validate(await readDockerfile()), []);
	t.is(validate((await readDockerfile()).replace("WORKDIR /app", "WORKDIR app")).length, 1);
});

test("the images copy the files of the npm package", async (t) => {
	const { files } = JSON.parse(await readFile("package.json", "utf8"));
	const program = files.filter((path: string) => !["deploy", "docs"].includes(path));
	for (const image of IMAGES)
		t.deepEqual((await listCopiedPaths(image)).toSorted(), [...program, "package.json", "LICENSE"].toSorted());
});

test("the .dockerignore allows exactly the copied files", async (t) => {
	const ignored = await readFile("deploy/Dockerfile.dockerignore", "utf8");
	const allowed = ignored.split("\n").filter((line) => line.startsWith("!"));
	const copied = new Set([...(await listCopiedPaths("gpu")), ...(await listCopiedPaths("gpu-dependencies"))]);
	t.deepEqual(allowed.toSorted(), [...copied].map((path) => `!${path}`).toSorted());
});

test("the images don't run as root, and get installed packages from other stages, without compilers or Python", async (t) => {
	for (const image of IMAGES) {
		const instructions = await listInstructions(image);
		const restOf = (wanted: string) => instructions.filter(({ name }) => name === wanted).map(({ rest }) => rest);
		t.deepEqual(restOf("USER"), ["node"]);
		t.deepEqual(restOf("RUN"), ["mkdir /cache /runs && chown node:node /cache /runs", "node tailtune.mjs --version"]);
		t.deepEqual(
			restOf("COPY").filter((rest) => rest.startsWith("--")),
			[`--from=${image ? `${image}-` : ""}dependencies /app/node_modules node_modules`],
		);
		t.regex(restOf("FROM")[0] ?? "", /^node:22\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64} /);
	}
});

test("the layer of CUDA libraries doesn't depend on coordinator/ and worker/", async (t) => {
	const packages = ["package.json", "package-lock.json", ".npmrc"];
	t.deepEqual(await listCopiedPaths("gpu-dependencies"), [...packages, "deploy/native", "shared"]);
});

test("all stages have the same base image", async (t) => {
	const bases = await Promise.all(
		[...IMAGES, "gpu-dependencies"].map(async (name) => (await listInstructions(name))[0]),
	);
	t.is(new Set(bases.map((from) => from?.rest.split(" ")[0])).size, 1);
});

test("an image's entry point runs with the files of the image", async (t) => {
	const app = await layOutApp();
	const [program = "", ...args] = (await readEntrypoint()).map((part) => part.replace("/app", app));
	const { stdout } = await execute(program, [...args, "worker", "--help"], { cwd: "/" });
	t.regex(stdout, /--nats/);
});

test("the command that installs native TensorFlow for GPUs runs with the files of its build stage", async (t) => {
	const instructions = await listInstructions("gpu-dependencies");
	const [last = ""] = instructions.flatMap(({ name, rest }) => (name === "RUN" ? rest : [])).slice(-1);
	const [program = "", ...args] = last.replace(/^(?:--\S+ )*/, "").split(" ");
	t.deepEqual([program, ...args], ["npm", "run", "native", "--", "gpu"]);
	const { stdout } = await execute(program, [...args, "--help"], { cwd: await layOutApp("gpu-dependencies") });
	t.regex(stdout, /"gpu"/);
});
