import { access } from "node:fs/promises";
import { execa } from "execa";
import { Host } from "./host.ts";
import { connectBySwitches } from "./vde-link.ts";

/** Delay and rate of a link, in each direction. */
export const DELAY_MS = 20;
export const MEGABITS_PER_SECOND = 100;

/** Bytes that may wait in the queue of a link; further packets are dropped. */
const QUEUE_BYTES = 1_500_000;

/** Program that makes the delay: the kernel's netem, or VDE's wirefilter if the kernel has no netem. */
export type LinkKind = "tc netem" | "wirefilter";

/** A link between a host and a port of the switch. */
export interface Link {
	/** Stops all traffic without closing any connection. */
	cut(): Promise<void>;
	restore(): Promise<void>;
}

/** Finds a way to make links on this machine. @throws Error that names the missing programs */
export async function findLinkKind(): Promise<LinkKind> {
	const probe = await Host.make("probe");
	try {
		const { failed, stderr } = await execa("tc", ["-n", probe.name, ...netem("lo")], { reject: false });
		if (!failed) return "tc netem";
		const missing = await missingForWirefilter();
		if (missing === undefined) return "wirefilter";
		throw new Error(`tc netem: ${stderr}; ${missing}`);
	} finally {
		await probe.remove();
	}
}

/** Returns a program or device missing for wirefilter; undefined if all are there. */
async function missingForWirefilter(): Promise<string | undefined> {
	const programs = ["wirefilter", "vde_switch"];
	for (const program of programs) {
		const { failed } = await execa("which", [program], { reject: false });
		if (failed) return `no ${program}`;
	}
	return access("/dev/net/tun").then(
		() => undefined,
		() => "no /dev/net/tun",
	);
}

/** Connects `host`, as its eth0, to a port of a switch. The link ends with its hosts. */
export async function createLink(kind: LinkKind, host: Host, hub: Host, port: string): Promise<Link> {
	if (kind === "tc netem") await connectByVeth(host, hub, port);
	else await connectBySwitches({ host, device: "eth0" }, { host: hub, device: port }, filter());
	return {
		cut: () => hub.ip("link", "set", port, "down"),
		restore: () => hub.ip("link", "set", port, "up"),
	};
}

async function connectByVeth(host: Host, hub: Host, port: string): Promise<void> {
	await host.ip("link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", hub.name);
	await execa("tc", ["-n", host.name, ...netem("eth0")]);
	await execa("tc", ["-n", hub.name, ...netem(port)]);
}

function netem(device: string): string[] {
	const shape = ["delay", `${DELAY_MS}ms`, "rate", `${MEGABITS_PER_SECOND}mbit`, "limit", `${QUEUE_BYTES / 1500}`];
	return ["qdisc", "add", "dev", device, "root", "netem", ...shape];
}

/** Arguments of wirefilter. */
function filter(): string[] {
	const bytesPerSecond = `${(MEGABITS_PER_SECOND * 1e6) / 8}`;
	return ["-d", `${DELAY_MS}`, "-b", bytesPerSecond, "-c", `${QUEUE_BYTES}`];
}
