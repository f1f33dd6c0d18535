import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { natsServerProgram } from "../nats-server.ts";
import { Host, removeStaleHosts } from "./host.ts";
import { createLink, type Link, type LinkKind } from "./link.ts";

const HUB_ADDRESS = "10.99.0.1";
const NATS_CONFIG = fileURLToPath(new URL("../../deploy/nats/nats.conf", import.meta.url));

/** A host for the coordinator with a nats-server and a switch, and two hosts for workers, each linked to the switch. */
export interface Network {
	readonly hub: Host;
	readonly hubAddress: string;
	readonly workers: readonly [Host, Host];
	/** In the order of the workers. */
	readonly links: readonly [Link, Link];
	remove(): Promise<void>;
}

/** Builds a network. Removes hosts left behind by killed processes first. */
export async function buildNetwork(kind: LinkKind): Promise<Network> {
	await removeStaleHosts();
	const hosts: Host[] = [];
	const links: Link[] = [];
	const remove = async () => {
		for (const host of hosts) await host.remove();
	};
	const make = async (label: string) => {
		const host = await Host.make(label);
		hosts.push(host);
		return host;
	};
	try {
		const hub = await make("hub");
		await hub.ip("link", "add", "switch", "type", "bridge");
		await hub.ip("addr", "add", `${HUB_ADDRESS}/24`, "dev", "switch");
		await hub.ip("link", "set", "switch", "up");
		const connect = async (number: number) => {
			const host = await make(`worker-${number}`);
			links.push(await createLink(kind, host, hub, `port${number}`));
			await hub.ip("link", "set", `port${number}`, "master", "switch", "up");
			await host.ip("addr", "add", `10.99.0.${1 + number}/24`, "dev", "eth0");
			await host.ip("link", "set", "eth0", "up");
			return host;
		};
		const workers = [await connect(1), await connect(2)] as const;
		return { hub, hubAddress: HUB_ADDRESS, workers, links: [links[0] as Link, links[1] as Link], remove };
	} catch (error) {
		await remove();
		throw error;
	}
}

/** Starts a nats-server with deploy/'s configuration. Returns a function that stops it. */
export async function startNats(host: Host, passwords: Readonly<Record<string, string>>): Promise<() => Promise<void>> {
	const storeDir = await mkdtemp(join(tmpdir(), "tailtune-nats-"));
	const [program = "", ...args] = [...host.prefix, await natsServerProgram(), "-c", NATS_CONFIG, "-sd", storeDir];
	const server = execa(program, args, { env: passwords, reject: false, buffer: false });
	const lines: string[] = [];
	for await (const line of createInterface({ input: server.stderr as Readable })) {
		lines.push(line);
		if (line.endsWith("Server is ready")) {
			server.stderr?.resume();
			return async () => {
				server.kill("SIGKILL");
				await server;
				await rm(storeDir, { recursive: true });
			};
		}
	}
	throw new Error(`nats-server did not start: ${lines.join(" | ")}`);
}
