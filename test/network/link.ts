import { access } from "node:fs/promises";
import { execa } from "execa";
import { Host } from "./host.ts";

/** Delay and rate of a link, in each direction. */
export const DELAY_MS = 20;
export const MEGABITS_PER_SECOND = 100;

/** Bytes that may wait in the queue of a link; further packets are dropped. */
const QUEUE_BYTES = 1_500_000;

/**
 * Program that makes the delay: the kernel's netem, or VDE's wirefilter between two taps if the kernel has no netem.
 */
export type LinkKind = "tc netem" | "wirefilter";

/** A link between a host and a port of the switch. */
export interface Link {
	/** Stops all traffic without closing any connection. */
	cut(): Promise<void>;
	restore(): Promise<void>;
	remove(): void;
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
	const programs = ["wirefilter", "dpipe", "vde_plug2tap"];
	for (const program of programs) {
		const { failed } = await execa("which", [program], { reject: false });
		if (failed) return `no ${program}`;
	}
	return access("/dev/net/tun").then(
		() => undefined,
		() => "no /dev/net/tun",
	);
}

/** Connects `host`, as its eth0, to a port of a switch. */
export async function createLink(kind: LinkKind, host: Host, hub: Host, port: string): Promise<Link> {
	const remove = kind === "tc netem" ? await connectByVeth(host, hub, port) : await connectByTaps(host, hub, port);
	return {
		cut: () => hub.ip("link", "set", port, "down"),
		restore: () => hub.ip("link", "set", port, "up"),
		remove,
	};
}

async function connectByVeth(host: Host, hub: Host, port: string): Promise<() => void> {
	await host.ip("link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", hub.name);
	await execa("tc", ["-n", host.name, ...netem("eth0")]);
	await execa("tc", ["-n", hub.name, ...netem(port)]);
	return () => {}; // removed with its hosts
}

function netem(device: string): string[] {
	const shape = ["delay", `${DELAY_MS}ms`, "rate", `${MEGABITS_PER_SECOND}mbit`, "limit", `${QUEUE_BYTES / 1500}`];
	return ["qdisc", "add", "dev", device, "root", "netem", ...shape];
}

async function connectByTaps(host: Host, hub: Host, port: string): Promise<() => void> {
	await host.ip("tuntap", "add", "dev", "eth0", "mode", "tap");
	await hub.ip("tuntap", "add", "dev", port, "mode", "tap");
	const bytesPerSecond = `${(MEGABITS_PER_SECOND * 1e6) / 8}`;
	const filter = ["wirefilter", "-d", `${DELAY_MS}`, "-b", bytesPerSecond, "-c", `${QUEUE_BYTES}`];
	const plug = (at: Host, device: string) => [...at.prefix, "vde_plug2tap", "-s", "-", device];
	const args = [...plug(host, "eth0"), "=", ...filter, "=", ...plug(hub, port)];
	const wire = execa("dpipe", args, { reject: false, stdio: "ignore" });
	return () => void wire.kill("SIGKILL");
}
