import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNatsAccess } from "../../shared/bus/nats/credentials.ts";
import type { Notices } from "../../shared/notices.ts";
import { sharedWorkerFlags } from "../../shared/settings/worker-flags.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { Cluster, ClusterRun } from "./cluster.ts";
import { findOrInstallNatsServer } from "./install-nats-server.ts";
import { type LocalServer, startLocalServer } from "./local-server.ts";
import { openNatsCluster } from "./nats-cluster.ts";
import { WorkerProcesses } from "./worker-processes.ts";

/** Options of a run that starts its own workers and nats-server on this machine. */
export interface LocalClusterOptions {
	readonly workers: number;
	readonly events: RunEvents;
	/** Receives problems that hold up the run. */
	readonly notices: Notices;
}

/**
 * Starts a nats-server on loopback and workers, and announces the run to them. All of them end with the run or with
 * this process. A random token keeps other users of the machine out.
 */
export async function openLocalCluster(
	{ workers, events, notices }: LocalClusterOptions,
	run: ClusterRun,
): Promise<Cluster> {
	const log = (line: string) => events.line(line);
	const binary = await findOrInstallNatsServer(events);
	const folder = await mkdtemp(join(tmpdir(), "tailtune-cluster-"));
	let server: LocalServer | undefined;
	let processes: WorkerProcesses | undefined;
	let cluster: Cluster | undefined;
	const leave = async () => {
		await cluster?.close();
		await processes?.end();
		await server?.stop();
		await rm(folder, { recursive: true, force: true });
	};
	const fail = (error: Error) => cluster?.dispatcher.fail(error);
	try {
		const { token, tokenFile, config } = await writeSecrets(folder);
		server = await startLocalServer({ binary, storeDir: join(folder, "jetstream"), config }, { log, fail });
		const env = workerEnvironment(tokenFile);
		const options = { nats: server.url, access: await readNatsAccess(env), security: { token }, events, notices };
		cluster = await openNatsCluster(options, run);
		const args = ["--nats", server.url, ...sharedWorkerFlags(run.engine, workers)];
		processes = new WorkerProcesses({ count: workers, args, env, log, fail });
		return { ...cluster, close: leave };
	} catch (error) {
		await leave();
		throw error;
	}
}

/** Writes the token for NATS and gRPC to files that only this user can read: all users can read command lines. */
async function writeSecrets(folder: string) {
	const token = randomBytes(24).toString("hex");
	const [tokenFile, config] = [join(folder, "token"), join(folder, "nats.conf")];
	await writeFile(tokenFile, token, { mode: 0o600 });
	await writeFile(config, `authorization: { token: "${token}" }\n`, { mode: 0o600 });
	return { token, tokenFile, config };
}

/** Returns this process's environment without the variables of other clusters. */
function workerEnvironment(tokenFile: string): NodeJS.ProcessEnv {
	const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("TAILTUNE_"));
	return { ...Object.fromEntries(kept), TAILTUNE_NATS_TOKEN_FILE: tokenFile, TAILTUNE_TOKEN_FILE: tokenFile };
}
