import { execa } from "execa";

/**
 * A host's name is this prefix and the id of the process that made it, so that hosts of ended processes can be removed.
 */
const NAME_PREFIX = "tailtune-test-";

/** A network namespace: a host that sees nothing of this machine's network. */
export class Host {
	readonly name: string;
	/**
	 * Arguments before a command that run it on this host. The command is killed when the process that started it ends.
	 */
	readonly prefix: readonly string[];

	/** Makes a host. @throws Error if this process has no permission for it */
	static async make(label: string): Promise<Host> {
		const host = new Host(`${NAME_PREFIX}${process.pid}-${label}`);
		await execa("ip", ["netns", "add", host.name]);
		await host.ip("link", "set", "lo", "up");
		return host;
	}

	constructor(name: string) {
		this.name = name;
		this.prefix = ["ip", "netns", "exec", name, "setpriv", "--pdeathsig", "KILL"];
	}

	/** Runs `ip` to configure the host's network. */
	async ip(...args: readonly string[]): Promise<void> {
		await execa("ip", ["-n", this.name, ...args]);
	}

	/** Runs a command on this host and waits for its end. @throws Error if it fails */
	async run(...command: readonly string[]): Promise<void> {
		const [program = "", ...args] = [...this.prefix, ...command];
		await execa(program, args);
	}

	/** Starts a program on this host that runs until the host is removed, with an open standard input. */
	start(...command: readonly string[]): void {
		const [program = "", ...args] = [...this.prefix, ...command];
		execa(program, args, { reject: false, stdio: ["pipe", "ignore", "ignore"] });
	}

	/** Kills every process on this host and removes it. */
	async remove(): Promise<void> {
		const { stdout } = await execa("ip", ["netns", "pids", this.name]);
		for (const pid of stdout.split("\n").filter(Boolean)) kill(Number(pid));
		await execa("ip", ["netns", "del", this.name]);
	}
}

/** Removes the hosts of ended processes. */
export async function removeStaleHosts(): Promise<void> {
	const { stdout } = await execa("ip", ["netns", "list"]);
	for (const line of stdout.split("\n")) {
		const [name = ""] = line.split(" ");
		const [, pid] = new RegExp(`^${NAME_PREFIX}(\\d+)-`).exec(name) ?? [];
		if (pid !== undefined && !isAlive(Number(pid))) await new Host(name).remove();
	}
}

function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {} // already ended
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}
