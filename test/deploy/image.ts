import { mkdir, mkdtemp, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An instruction of a Dockerfile with what follows it. */
export interface Instruction {
	readonly name: string;
	readonly rest: string;
}

export function readDockerfile(): Promise<string> {
	return readFile(join(root, "deploy/Dockerfile"), "utf8");
}

/** The instructions of the image itself: those of its last stage. None goes over several lines. */
export async function imageInstructions(): Promise<Instruction[]> {
	const lines = (await readDockerfile()).split("\n").filter((line) => /^[A-Z]/.test(line));
	const instructions = lines.map((line) => {
		const [name = "", ...rest] = line.split(" ");
		return { name, rest: rest.join(" ") };
	});
	return instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
}

/** Paths that the image gets from the project's folder. */
export async function copiedPaths(): Promise<string[]> {
	const copies = (await imageInstructions()).filter(({ name, rest }) => name === "COPY" && !rest.startsWith("--"));
	return copies.flatMap(({ rest }) => rest.split(" ").slice(0, -1));
}

/** A folder with what the image has in /app: the files that its Dockerfile names and no others, and what is installed. */
export async function layOutApp(): Promise<string> {
	const app = await mkdtemp(join(tmpdir(), "tailtune-image-"));
	for (const path of ["node_modules", ...(await copiedPaths())]) {
		await mkdir(dirname(join(app, path)), { recursive: true });
		await symlink(join(root, path), join(app, path));
	}
	return app;
}

/** The program that the image runs, with what of it is fixed. */
export async function entrypoint(): Promise<string[]> {
	const found = (await imageInstructions()).find(({ name }) => name === "ENTRYPOINT");
	return JSON.parse(found?.rest ?? "[]");
}
