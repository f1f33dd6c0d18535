import { access } from "node:fs/promises";
import { execa } from "execa";
import { Host } from "./host.ts";

/** What a cable does to each packet that goes through it, either way. */
export const DELAY_MS = 20;
export const MEGABITS_PER_SECOND = 100;

/** Bytes that wait for their turn on a cable; what comes then is lost. */
const QUEUE_BYTES = 1_500_000;

/** How a delay is made: by the kernel's netem, or, where the kernel has none, by VDE's wirefilter between two taps. */
export type CableKind = "tc netem" | "wirefilter";

/** A cable whose far end is `port`, on the host that has the switch. */
export interface Cable {
	/** Nothing goes through it any more, and neither side is told. */
	cut(): Promise<void>;
	mend(): Promise<void>;
	remove(): void;
}

/** How cables can be laid on this machine. @throws Error that says what it lacks */
export async function findCableKind(): Promise<CableKind> {
	const probe = await Host.make("probe");
	try {
		const { failed, stderr } = await execa("tc", ["-n", probe.name, ...netem("lo")], { reject: false });
		if (!failed) return "tc netem";
		const missing = await withoutNetem();
		if (missing === undefined) return "wirefilter";
		throw new Error(`tc netem: ${stderr}; ${missing}`);
	} finally {
		await probe.remove();
	}
}

/** What there has to be where the kernel can't delay packets; undefined where all of it is there. */
async function withoutNetem(): Promise<string | undefined> {
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
export async function layCable(kind: CableKind, host: Host, hub: Host, port: string): Promise<Cable> {
	const remove = kind === "tc netem" ? await layVeth(host, hub, port) : await layTaps(host, hub, port);
	return {
		cut: () => hub.ip("link", "set", port, "down"),
		mend: () => hub.ip("link", "set", port, "up"),
		remove,
	};
}

async function layVeth(host: Host, hub: Host, port: string): Promise<() => void> {
	await host.ip("link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", hub.name);
	await execa("tc", ["-n", host.name, ...netem("eth0")]);
	await execa("tc", ["-n", hub.name, ...netem(port)]);
	return () => {}; // goes with its hosts
}

function netem(device: string): string[] {
	const shape = ["delay", `${DELAY_MS}ms`, "rate", `${MEGABITS_PER_SECOND}mbit`, "limit", `${QUEUE_BYTES / 1500}`];
	return ["qdisc", "add", "dev", device, "root", "netem", ...shape];
}

async function layTaps(host: Host, hub: Host, port: string): Promise<() => void> {
	await host.ip("tuntap", "add", "dev", "eth0", "mode", "tap");
	await hub.ip("tuntap", "add", "dev", port, "mode", "tap");
	const bytesPerSecond = `${(MEGABITS_PER_SECOND * 1e6) / 8}`;
	const filter = ["wirefilter", "-d", `${DELAY_MS}`, "-b", bytesPerSecond, "-c", `${QUEUE_BYTES}`];
	const plug = (at: Host, device: string) => [...at.via, "vde_plug2tap", "-s", "-", device];
	const args = [...plug(host, "eth0"), "=", ...filter, "=", ...plug(hub, port)];
	const wire = execa("dpipe", args, { reject: false, stdio: "ignore" });
	return () => void wire.kill("SIGKILL");
}
