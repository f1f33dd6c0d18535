import { execa } from "execa";

/** Before the id of the process that made a host, so that what a killed one left can be told and removed. */
const PREFIX = "tailtune-test-";

/** A host with a network of its own: a namespace, where nothing of this machine's network is to be seen. */
export class Host {
	readonly name: string;
	/** What a command is put behind to run on this host; it dies with the process that started it. */
	readonly via: readonly string[];

	/** @throws where this process may not make one */
	static async make(label: string): Promise<Host> {
		const host = new Host(`${PREFIX}${process.pid}-${label}`);
		await execa("ip", ["netns", "add", host.name]);
		await host.ip("link", "set", "lo", "up");
		return host;
	}

	constructor(name: string) {
		this.name = name;
		this.via = ["ip", "netns", "exec", name, "setpriv", "--pdeathsig", "KILL"];
	}

	/** Configures its network. */
	async ip(...args: readonly string[]): Promise<void> {
		await execa("ip", ["-n", this.name, ...args]);
	}

	/** Kills all that runs there, and forgets it. */
	async remove(): Promise<void> {
		const { stdout } = await execa("ip", ["netns", "pids", this.name]);
		for (const pid of stdout.split("\n").filter(Boolean)) kill(Number(pid));
		await execa("ip", ["netns", "del", this.name]);
	}
}

/** Removes the hosts of processes that are no more. */
export async function removeStaleHosts(): Promise<void> {
	const { stdout } = await execa("ip", ["netns", "list"]);
	for (const line of stdout.split("\n")) {
		const [name = ""] = line.split(" ");
		const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
		if (pid !== undefined && !isAlive(Number(pid))) await new Host(name).remove();
	}
}

function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {} // it has ended meanwhile
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}
