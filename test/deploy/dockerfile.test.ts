import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import test from "ava";
import { validate } from "dockerfile-utils";
import { copiedPaths, entrypoint, imageInstructions, layOutApp, readDockerfile } from "./image.ts";

const execute = promisify(execFile);

/** What is built: `docker build`'s own choice, and `--target gpu`. */
const IMAGES: readonly (string | undefined)[] = [undefined, "gpu"];

test("the Dockerfile has no fault that a linter sees", async (t) => {
	t.deepEqual(validate(await readDockerfile()), []);
	t.is(validate((await readDockerfile()).replace("WORKDIR /app", "WORKDIR app")).length, 1);
});

test("what the images copy is what the package has", async (t) => {
	const { files } = JSON.parse(await readFile("package.json", "utf8"));
	const program = files.filter((path: string) => !["deploy", "docs"].includes(path));
	for (const image of IMAGES)
		t.deepEqual((await copiedPaths(image)).toSorted(), [...program, "package.json", "LICENSE"].toSorted());
});

test("the .dockerignore lets through what is copied, and nothing else", async (t) => {
	const ignored = await readFile("deploy/Dockerfile.dockerignore", "utf8");
	const allowed = ignored.split("\n").filter((line) => line.startsWith("!"));
	const copied = new Set([...(await copiedPaths("gpu")), ...(await copiedPaths("gpu-dependencies"))]);
	t.deepEqual(allowed.toSorted(), [...copied].map((path) => `!${path}`).toSorted());
});

test("the images' user is not root, and nothing in them is compiled or Python: others bring what is installed", async (t) => {
	for (const image of IMAGES) {
		const instructions = await imageInstructions(image);
		const restOf = (wanted: string) => instructions.filter(({ name }) => name === wanted).map(({ rest }) => rest);
		t.deepEqual(restOf("USER"), ["node"]);
		t.deepEqual(restOf("RUN"), ["mkdir /cache /runs && chown node:node /cache /runs"]);
		t.deepEqual(
			restOf("COPY").filter((rest) => rest.startsWith("--")),
			[`--from=${image ? `${image}-` : ""}dependencies /app/node_modules node_modules`],
		);
		t.regex(restOf("FROM")[0] ?? "", /^node:22\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64} /);
	}
});

test("the layer of CUDA libraries is built without the coordinator and the worker, so that they don't change it", async (t) => {
	const packages = ["package.json", "package-lock.json", ".npmrc"];
	t.deepEqual(await copiedPaths("gpu-dependencies"), [...packages, "deploy/native", "shared"]);
});

test("what is installed is built on the system that it runs on", async (t) => {
	const bases = await Promise.all(
		[...IMAGES, "gpu-dependencies"].map(async (name) => (await imageInstructions(name))[0]),
	);
	t.is(new Set(bases.map((from) => from?.rest.split(" ")[0])).size, 1);
});

test("an image's entry point runs with the files that the image has", async (t) => {
	const app = await layOutApp();
	const [program = "", ...args] = (await entrypoint()).map((part) => part.replace("/app", app));
	const { stdout } = await execute(program, [...args, "worker", "--help"], { cwd: "/" });
	t.regex(stdout, /--nats/);
});

test("what adds native TensorFlow for GPUs runs with the files that are there when an image is built", async (t) => {
	const instructions = await imageInstructions("gpu-dependencies");
	const [last = ""] = instructions.flatMap(({ name, rest }) => (name === "RUN" ? rest : [])).slice(-1);
	const [program = "", ...args] = last.replace(/^(?:--\S+ )*/, "").split(" ");
	t.deepEqual([program, ...args], ["npm", "run", "native", "--", "gpu"]);
	const { stdout } = await execute(program, [...args, "--help"], { cwd: await layOutApp("gpu-dependencies") });
	t.regex(stdout, /"gpu"/);
});
