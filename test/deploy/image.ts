import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { newFolder } from "../new-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An instruction of a Dockerfile with what follows it. */
export interface Instruction {
	readonly name: string;
	readonly rest: string;
}

export function readDockerfile(): Promise<string> {
	return readFile(join(root, "deploy/Dockerfile"), "utf8");
}

/**
 * The instructions that make an image: those of a stage, after those of the stages that it stands on. None goes over
 * several lines.
 * @param target default: the last stage, as `docker build` has it
 */
export async function imageInstructions(target?: string): Promise<Instruction[]> {
	const lines = (await readDockerfile()).split("\n").filter((line) => /^[A-Z]/.test(line));
	const instructions = lines.map((line) => {
		const [name = "", ...rest] = line.split(" ");
		return { name, rest: rest.join(" ") };
	});
	const isStart = ({ name, rest }: Instruction) =>
		name === "FROM" && (target === undefined || rest.endsWith(` AS ${target}`));
	const start = instructions.findLastIndex(isStart);
	const from = instructions[start];
	if (from === undefined) return [];
	const length = instructions.slice(start + 1).findIndex(({ name }) => name === "FROM");
	const own = instructions.slice(start, length < 0 ? undefined : start + 1 + length);
	return [...(await imageInstructions(from.rest.split(" ")[0])), ...own];
}

/** Paths that an image gets from the project's folder. */
export async function copiedPaths(target?: string): Promise<string[]> {
	const copies = (await imageInstructions(target)).filter(
		({ name, rest }) => name === "COPY" && !rest.startsWith("--"),
	);
	return copies.flatMap(({ rest }) => rest.split(" ").slice(0, -1));
}

/** A folder with what an image has in /app: the files that its Dockerfile names and no others, and what is installed. */
export async function layOutApp(target?: string): Promise<string> {
	const app = await newFolder();
	await symlink(join(root, "node_modules"), join(app, "node_modules"));
	// Copies: of a link Node would take the place where it leads to, and find there what isn't in the image.
	for (const path of await copiedPaths(target)) {
		await mkdir(dirname(join(app, path)), { recursive: true });
		await cp(join(root, path), join(app, path), { recursive: true });
	}
	return app;
}

/** The program that an image runs, with what of it is fixed. */
export async function entrypoint(target?: string): Promise<string[]> {
	const found = (await imageInstructions(target)).find(({ name }) => name === "ENTRYPOINT");
	return JSON.parse(found?.rest ?? "[]");
}
