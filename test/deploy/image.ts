import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { newFolder } from "../new-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An instruction of a Dockerfile and its arguments. */
export interface Instruction {
	readonly name: string;
	readonly rest: string;
}

export function readDockerfile(): Promise<string> {
	return readFile(join(root, "deploy/Dockerfile"), "utf8");
}

/**
 * Lists the instructions of a stage, after those of the stages it is based on. Each is one line.
 * @param target default: the last stage, as for `docker build`
 */
export async function listInstructions(target?: string): Promise<Instruction[]> {
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
	return [...(await listInstructions(from.rest.split(" ")[0])), ...own];
}

/** Returns the paths that an image copies from the project's folder. */
export async function listCopiedPaths(target?: string): Promise<string[]> {
	const copies = (await listInstructions(target)).filter(({ name, rest }) => name === "COPY" && !rest.startsWith("--"));
	return copies.flatMap(({ rest }) => rest.split(" ").slice(0, -1));
}

/** Makes a folder with the content of an image's /app: exactly the files named by its Dockerfile, and node_modules. */
export async function layOutApp(target?: string): Promise<string> {
	const app = await newFolder();
	await symlink(join(root, "node_modules"), join(app, "node_modules"));
	// Copies instead of links: Node resolves links and would find the project's other files next to their targets.
	for (const path of await listCopiedPaths(target)) {
		await mkdir(dirname(join(app, path)), { recursive: true });
		await cp(join(root, path), join(app, path), { recursive: true });
	}
	return app;
}

/** Returns an image's entry point: the program and its fixed arguments. */
export async function readEntrypoint(target?: string): Promise<string[]> {
	const found = (await listInstructions(target)).find(({ name }) => name === "ENTRYPOINT");
	return JSON.parse(found?.rest ?? "[]");
}
