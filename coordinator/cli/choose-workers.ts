import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { Notices } from "../../shared/notices.ts";
import { createAddressCheck } from "../../shared/settings/host-port.ts";
import { checkNatsUrls } from "../../shared/settings/nats-urls.ts";
import { addRpcFlags, type RpcFlags, readRpcSecurity } from "../../shared/settings/rpc-flags.ts";
import type { WorkerOptions } from "../../shared/worker-port/running-worker.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { MOST_REPLICAS, REPLICAS_HELP } from "../cluster/nats-replicas.ts";
import { assertDialable } from "../cluster/wildcard-address.ts";
import type { RunEvents } from "../events/run-events.ts";
import { parseCount } from "../parse-count.ts";
import type { TrainOptions } from "../training/train-options.ts";

/** Values of the flags that choose the workers of a run. */
export interface WorkerFlags extends RpcFlags {
	readonly workers?: string;
	readonly nats?: string;
	readonly listen?: string;
	readonly advertise?: string;
	readonly natsReplicas?: string;
	readonly mixedEngines?: boolean;
}

/** Adds the flags that choose the workers of a run. */
export function addWorkerFlags(command: Command): Command {
	command
		.optionsGroup("Workers:")
		.option("--workers <n>", "use N worker processes on this machine; starts nats-server, and installs it if missing")
		.option("--nats <urls>", "use the workers of this NATS server; commas separate several URLs", checkNatsUrls)
		.option(
			"--listen <host:port>",
			"with --nats: address for the workers' gRPC connections (default: a free port on loopback)",
			createAddressCheck("--listen"),
		)
		.option("--advertise <host:port>", "address that workers connect to, if it differs from --listen (proxy or NAT)")
		.option("--nats-replicas <n>", REPLICAS_HELP)
		.option("--mixed-engines", "with --nats: allow workers with different engines; the result then depends on them");
	return addRpcFlags(command);
}

/** How a run finds its workers. */
export type Workers = Pick<TrainOptions, "openCluster" | "countWorkers">;

/**
 * Chooses the workers: this process, other processes on this machine, or the workers of a NATS server.
 * @param engineIn as for `openEmbeddedCluster`
 */
export async function chooseWorkers(
	options: WorkerFlags,
	workerSide: WorkerSide,
	events: RunEvents,
	interrupt: AbortSignal,
	engineIn?: WorkerOptions["engineIn"],
): Promise<Workers> {
	const { workers, nats, listen, advertise } = options;
	const notices = new Notices((notice) => events.emit({ event: "notice", ...notice }));
	if (workers !== undefined) return useWorkerProcesses(parseWorkers(options), events, notices);
	const [extra] = clusterFlags(options);
	if (nats === undefined && extra !== undefined) throw new TailtuneError("usage", `${extra}: needs --nats`);
	if (nats === undefined) return useThisProcess(workerSide, events, engineIn);
	assertDialable(listen, advertise);
	const { countNatsWorkers, openNatsCluster } = await import("../cluster/nats-cluster.ts");
	const cluster = {
		...{ nats, listen, advertise, flag: "--listen" },
		security: await readRpcSecurity(options),
		events,
		notices,
		interrupt,
		replicas: parseReplicas(options),
		mixedEngines: options.mixedEngines,
	};
	return {
		openCluster: (run) => openNatsCluster(cluster, run),
		countWorkers: () => countNatsWorkers(cluster),
	};
}

async function useWorkerProcesses(workers: number, events: RunEvents, notices: Notices): Promise<Workers> {
	const { openLocalCluster } = await import("../cluster/local-cluster.ts");
	const { createMemoryCheck } = await import("../training/estimate-memory.ts");
	const checkMemory = createMemoryCheck(workers);
	return {
		openCluster: (run) => {
			checkMemory(run, events);
			return openLocalCluster({ workers, events, notices }, run);
		},
		countWorkers: async () => workers,
	};
}

async function useThisProcess(
	workerSide: WorkerSide,
	events: RunEvents,
	engineIn?: WorkerOptions["engineIn"],
): Promise<Workers> {
	const { openEmbeddedCluster } = await import("../cluster/embedded-cluster.ts");
	const { createMemoryCheck } = await import("../training/estimate-memory.ts");
	const checkMemory = createMemoryCheck(1);
	return {
		openCluster: (run) => {
			checkMemory(run, events);
			return openEmbeddedCluster(workerSide, run, engineIn);
		},
	};
}

function parseReplicas({ natsReplicas }: WorkerFlags): number | undefined {
	if (natsReplicas === undefined) return undefined;
	return parseCount("--nats-replicas", natsReplicas, { most: MOST_REPLICAS });
}

function parseWorkers(options: WorkerFlags): number {
	const count = parseCount("--workers", options.workers);
	const [extra] = [...(options.nats === undefined ? [] : ["--nats"]), ...clusterFlags(options)];
	if (extra !== undefined) throw new TailtuneError("usage", `--workers: can't be combined with ${extra}`);
	return count;
}

/** Returns the given flags that only work with a cluster of several machines. */
function clusterFlags(options: WorkerFlags): string[] {
	const { listen, advertise, natsReplicas, mixedEngines, tokenFile, tlsCert, tlsKey, tlsCa } = options;
	const own = { listen, advertise, "nats-replicas": natsReplicas, "mixed-engines": mixedEngines };
	const flags = { ...own, "token-file": tokenFile, "tls-cert": tlsCert, "tls-key": tlsKey, "tls-ca": tlsCa };
	return Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`]));
}
