import { AsyncLocalStorage } from "node:async_hooks";
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import type { Node } from "./world.ts";

/** Longest duration of one disk operation. */
const DISK_MS = 40;

/** Delay of a rename if a mutation delays it. */
const LATE_MS = 5000;

const processes = new AsyncLocalStorage<Node>();

/** Open files by process. */
const openFiles = new Map<Node, Set<SimulatedFile>>();

/**
 * Runs work as a process of a simulation. Its files are real, but operations on them take virtual time, and none is
 * done after the process died. So it may die in the middle of a line, or between writing a file and renaming it. Its
 * `performance.now` is the virtual clock.
 */
export function runAsProcess<T>(node: Node, work: () => Promise<T>): Promise<T> {
	node.whenKilled(() => closeFiles(node));
	return processes.run(node, work);
}

/** Returns the number of open files of a process. */
export function countOpenFiles(node: Node): number {
	return openFiles.get(node)?.size ?? 0;
}

function closeFiles(node: Node): void {
	for (const file of openFiles.get(node) ?? []) fs.closeSync(file.fd);
	openFiles.delete(node);
}

/** Waits for the time of one operation; never resolves if the process dies meanwhile. */
async function waitForDisk(node: Node): Promise<void> {
	await node.sleep(node.world.random.wait(DISK_MS));
}

/** The methods of Node's FileHandle that the run folder's code uses. */
class SimulatedFile {
	readonly fd: number;
	readonly #node: Node;

	constructor(node: Node, fd: number) {
		this.fd = fd;
		this.#node = node;
		const own = openFiles.get(node) ?? new Set();
		openFiles.set(node, own.add(this));
	}

	async read(into: Uint8Array, offset = 0, length = into.length - offset, position: number | null = null) {
		return { bytesRead: fs.readSync(this.fd, into, offset, length, position), buffer: into };
	}

	async write(bytes: Uint8Array, offset = 0, length = bytes.length - offset, position: number | null = null) {
		await waitForDisk(this.#node);
		return { bytesWritten: fs.writeSync(this.fd, bytes, offset, length, position), buffer: bytes };
	}

	async writeFile(content: string | Uint8Array): Promise<void> {
		await waitForDisk(this.#node);
		fs.writeFileSync(this.fd, content);
	}

	async stat(): Promise<fs.Stats> {
		return fs.fstatSync(this.fd);
	}

	async sync(): Promise<void> {
		await waitForDisk(this.#node);
	}

	async close(): Promise<void> {
		openFiles.get(this.#node)?.delete(this);
		fs.closeSync(this.fd);
	}
}

const SIMULATED = {
	open: async (node: Node, ...args: Parameters<typeof fs.openSync>) => {
		await waitForDisk(node);
		return new SimulatedFile(node, fs.openSync(...args));
	},
	/** Appends in two halves, so that a process that dies in between leaves half of a line. */
	appendFile: async (node: Node, path: string, content: string) => {
		await waitForDisk(node);
		const middle = content.length >> 1;
		fs.appendFileSync(path, content.slice(0, middle));
		await waitForDisk(node);
		fs.appendFileSync(path, content.slice(middle));
	},
	rename: async (node: Node, from: string, to: string) => {
		await waitForDisk(node);
		const { world, name } = node;
		const rename = () => {
			fs.renameSync(from, to);
			world.log(`${name}: has written ${basename(to)}`);
			world.onWritten(to);
		};
		if (world.isBestLate && basename(to).startsWith("best-")) node.clock.schedule(rename, LATE_MS);
		else rename();
	},
	rm: async (node: Node, ...args: Parameters<typeof fs.rmSync>) => {
		await waitForDisk(node);
		fs.rmSync(...args);
	},
	readdir: async (_: Node, path: string) => fs.readdirSync(path),
	stat: async (_: Node, path: string) => fs.statSync(path),
	realpath: async (_: Node, path: string) => fs.realpathSync(path),
};

// Replaces functions of this process, only for work that runs as a process of a simulation.
for (const [name, simulated] of Object.entries(SIMULATED)) {
	const functions = promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
	const real = functions[name];
	functions[name] = async (...args) => {
		const node = processes.getStore();
		if (!node) return real?.(...args);
		return (simulated as (...args: unknown[]) => Promise<unknown>)(node, ...args);
	};
}
syncBuiltinESMExports();

const { performance } = globalThis;
const realNow = performance.now.bind(performance);
performance.now = () => processes.getStore()?.world.clock.now ?? realNow();
