import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import test from "ava";
import { validate } from "dockerfile-utils";
import { copiedPaths, entrypoint, imageInstructions, layOutApp, readDockerfile } from "./image.ts";

test("the Dockerfile has no fault that a linter sees", async (t) => {
	t.deepEqual(validate(await readDockerfile()), []);
	t.is(validate((await readDockerfile()).replace("WORKDIR /app", "WORKDIR app")).length, 1);
});

test("what the image copies is what the package has, and what its .dockerignore lets through", async (t) => {
	const { files } = JSON.parse(await readFile("package.json", "utf8"));
	const copied = await copiedPaths();
	const program = files.filter((path: string) => path !== "deploy");
	t.deepEqual(copied.toSorted(), [...program, "package.json", "LICENSE"].toSorted());
	const ignored = await readFile("deploy/Dockerfile.dockerignore", "utf8");
	const allowed = ignored.split("\n").filter((line) => line.startsWith("!"));
	const installed = ["package-lock.json", ".npmrc"];
	t.deepEqual(allowed.toSorted(), [...copied, ...installed].map((path) => `!${path}`).toSorted());
});

test("the image's user is not root, and nothing in it is compiled or Python", async (t) => {
	const instructions = await imageInstructions();
	t.deepEqual(
		instructions.filter(({ name }) => name === "USER").map(({ rest }) => rest),
		["node"],
	);
	t.notRegex(await readDockerfile(), /python|apt-get|node-gyp|make\b/i);
});

test("the image's entry point runs with the files that the image has", async (t) => {
	const app = await layOutApp();
	const [program = "", ...args] = (await entrypoint()).map((part) => part.replace("/app", app));
	const { stdout } = await promisify(execFile)(program, [...args, "--help"], { cwd: "/" });
	t.regex(stdout, /worker/);
});
