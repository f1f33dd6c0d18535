import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { connect } from "nats";
import { findOrInstallNatsServer } from "../coordinator/cluster/install-nats-server.ts";
import { startNatsServer as startServer } from "../coordinator/cluster/nats-server.ts";
import { newFolder } from "./new-folder.ts";

export interface TestServerOptions {
	/** Default: a folder of its own, deleted at the end. */
	readonly storeDir?: string;
	/** Default: a free one; a restart keeps it. */
	readonly port?: number;
	/** A configuration file of nats-server. */
	readonly config?: string;
}

/** A real nats-server on 127.0.0.1 that a test can end and restart as it likes. */
export interface TestServer {
	readonly url: string;
	/** Ends it in order and deletes its files. */
	stop(): Promise<void>;
	/** SIGKILL; it stays down until the restart. */
	kill(): Promise<void>;
	/** Kills it if it runs, deletes its files if `wipe` is set, and starts it again on the same port. */
	restart(options?: { wipe?: boolean }): Promise<void>;
}

/** The nats-server of this machine; fails, saying how to get it, if there is none and none can be installed. */
export function natsServerProgram(): Promise<string> {
	return findOrInstallNatsServer({ line: () => {}, download: () => () => {} });
}

/**
 * Starts a nats-server of the test's own. Fails if there is none and none can be installed; the error says how to get it.
 */
export async function startNatsServer(options: TestServerOptions = {}): Promise<TestServer> {
	const binary = await natsServerProgram();
	const storeDir = options.storeDir ?? (await mkdtemp(join(tmpdir(), "tailtune-nats-")));
	let server = await startServer({ binary, storeDir, port: options.port, config: options.config });
	const { url, port } = server;
	return {
		url,
		async stop() {
			await server.stop();
			await rm(storeDir, { recursive: true, force: true });
		},
		kill: () => server.kill(),
		async restart({ wipe = false } = {}) {
			await server.kill();
			if (wipe) await rm(storeDir, { recursive: true, force: true });
			server = await startServer({ binary, storeDir, port, config: options.config });
		},
	};
}

/** Starts a nats-server without JetStream. */
export async function startBareNatsServer(): Promise<Pick<TestServer, "url" | "stop">> {
	const server = execa(await natsServerProgram(), ["-a", "127.0.0.1", "-p", "-1"], { reject: false });
	for await (const line of createInterface({ input: server.stderr })) {
		const port = /Listening for client connections on \S+:(\d+)$/.exec(line)?.[1];
		if (port === undefined) continue;
		const stop = async () => {
			server.kill("SIGKILL");
			await server;
		};
		return { url: `nats://127.0.0.1:${port}`, stop };
	}
	throw new Error(`nats-server did not start: ${(await server).stderr}`);
}

/** A cluster of three nats-servers whose streams have three copies. */
export interface TestNatsCluster {
	readonly servers: readonly TestServer[];
	/** Those of all servers, with commas between. */
	readonly urls: string;
}

/** Starts three servers that form a cluster, and waits until they have elected a leader. */
export async function startNatsCluster(): Promise<TestNatsCluster> {
	const ports = await freePorts(3);
	const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
	const folder = await newFolder();
	const servers = await Promise.all(
		ports.map(async (port, i) => {
			const config = join(folder, `${i}.conf`);
			const cluster = `{ name: "test", listen: "127.0.0.1:${port}", routes: [${routes}] }`;
			await writeFile(config, `server_name: "server-${i}"\ncluster: ${cluster}\n`);
			return startNatsServer({ config });
		}),
	);
	const urls = servers.map(({ url }) => url).join(",");
	const connection = await connect({ servers: urls });
	const jsm = await connection.jetstreamManager({ checkAPI: false, timeout: 500 });
	const isReady = () =>
		jsm.getAccountInfo().then(
			() => true,
			() => false,
		);
	while (!(await isReady())) await sleep(50);
	await connection.close();
	return { servers, urls };
}

async function freePorts(count: number): Promise<number[]> {
	const listeners = await Promise.all(
		Array.from({ length: count }, async () => {
			const listener = createServer();
			await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
			return listener;
		}),
	);
	const ports = listeners.map((listener) => (listener.address() as AddressInfo).port);
	for (const listener of listeners) listener.close();
	return ports;
}
