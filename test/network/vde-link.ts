import { access } from "node:fs/promises";
import { join } from "node:path";
import pRetry from "p-retry";
import { newFolder } from "../new-folder.ts";
import type { Host } from "./host.ts";

/** Packets that wait in a socket of wirefilter while it isn't scheduled; by default the kernel drops those after 10. */
const SOCKET_PACKETS = 1000;

/** End of a link: a device that is made on a host. */
export interface LinkEnd {
	readonly host: Host;
	readonly device: string;
}

/**
 * Connects two hosts by VDE's wirefilter, with a switch of VDE at each end. A switch never waits: it drops a packet that
 * can't be sent at once. With pipes between the programs instead (dpipe, vde_plug2tap) a link that was busy in both
 * directions stopped for ever, because each program waited until the next one had read.
 * @param filter arguments of wirefilter for delay, rate and queue
 * @throws Error if a switch doesn't start
 */
export async function connectBySwitches(a: LinkEnd, b: LinkEnd, filter: readonly string[]): Promise<void> {
	const folder = await newFolder();
	const sockets = [join(folder, "a"), join(folder, "b")] as const;
	await startSwitch(a, sockets[0]);
	await startSwitch(b, sockets[1]);
	await b.host.run("sysctl", "-w", `net.unix.max_dgram_qlen=${SOCKET_PACKETS}`);
	b.host.start("wirefilter", "-v", sockets.join(":"), ...filter);
}

async function startSwitch({ host, device }: LinkEnd, socket: string): Promise<void> {
	await host.ip("tuntap", "add", "dev", device, "mode", "tap");
	host.start("vde_switch", "-s", socket, "-t", device);
	await pRetry(() => access(join(socket, "ctl")), { retries: 300, minTimeout: 20, maxTimeout: 20 });
}
