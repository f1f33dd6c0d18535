import { setTimeout as sleep } from "node:timers/promises";
import { waitAtMost } from "../../shared/bus/nats/connection.ts";
import { type NatsAccess, readNatsAccess } from "../../shared/bus/nats/credentials.ts";
import { connectNatsBus, type NatsBus } from "../../shared/bus/nats/nats-bus.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { Notices } from "../../shared/notices.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { type RpcSecurity, readRpcSecurity } from "../../shared/settings/rpc-flags.ts";
import { OTHER_WORKERS_MS, RUN_CLOSE_MS } from "../deadlines.ts";
import type { RunEvents } from "../events/run-events.ts";
import { serveTensors, type TensorServer } from "../exchange/grpc-coordinator-tensors.ts";
import { announceRun, type Cluster, type ClusterRun, type OpenCluster } from "./cluster.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { DIALABLE, isEveryAddress } from "./wildcard-address.ts";
import { WorkerWatch } from "./worker-watch.ts";

/** Where workers and coordinator meet, and what they show each other there. */
export interface NatsClusterOptions {
	/** One or more URLs with commas between. */
	readonly nats: string;
	/** Default: what the environment says. */
	readonly access?: NatsAccess | undefined;
	/** HOST:PORT on which workers fetch parameters; default: a free port on loopback. */
	readonly listen?: string | undefined;
	/** What workers must show there; default: what the environment says. */
	readonly security?: RpcSecurity | undefined;
	/** Gets an event for each worker that joins or leaves; default: nobody is told. */
	readonly events?: RunEvents | undefined;
	/** Told whatever holds the cluster up; default: nobody is told. */
	readonly notices?: Notices | undefined;
	/** Ends every wait for NATS until the run has begun; default: nothing does. */
	readonly interrupt?: AbortSignal | undefined;
	/** Servers that keep a copy of each stream; default: 3 in a cluster of so many, else 1. */
	readonly replicas?: number | undefined;
	/** Workers with other engines than the first one's take part too; default: false, or as the run says. */
	readonly mixedEngines?: boolean | undefined;
	/** HOST:PORT that workers dial, where something between forwards it; of where it listens. Default: the same. */
	readonly advertise?: string | ((listening: string) => Promise<string>) | undefined;
}

/** A coordinator's place at a NATS server, from which it announces runs, one or several at a time. */
export interface NatsHost {
	/** Announces a run to the workers that have joined, and serves them its tensors. */
	readonly open: OpenCluster;
	close(): Promise<void>;
}

/** Connects to NATS and begins to serve tensors. */
export async function connectNatsHost(options: NatsClusterOptions): Promise<NatsHost> {
	const { listen, advertise, notices = new Notices() } = options;
	assertDialable(listen, advertise);
	const security = options.security ?? (await readRpcSecurity({}));
	const bus = await connect(options);
	const dispatchers = new Map<string, Dispatcher>();
	const models = new Map<string, string>();
	const each = (tell: (dispatcher: Dispatcher) => void) => [...dispatchers.values()].forEach(tell);
	const server = await serveTensors({
		listen,
		...security,
		models,
		onWorkerConnected: (workerId) => each((dispatcher) => dispatcher.connectWorker(workerId)),
		onWorkerLost: (workerId) => each((dispatcher) => dispatcher.loseWorker(workerId)),
	}).catch(async (error) => {
		await bus.close();
		throw error;
	});
	const close = async () => {
		await server.close();
		await bus.close();
	};
	const address = await advertised(server.address, advertise).catch(async (error) => {
		await close();
		throw error;
	});
	const announce = endedBy(options.interrupt, announceRun);
	const open = async (run: ClusterRun): Promise<Cluster> => {
		models.set(run.modelHash, run.model.folder);
		const watch = new WorkerWatch(run.shards, options.events, notices);
		const onWorkers: ClusterRun["onWorkers"] = (change) => watch.tell(change);
		const forget = () => {
			watch.end();
			server.closeRun(run.runId);
			// A server opens a run for each new model, which may have the weights of the one before.
			if (models.get(run.modelHash) === run.model.folder) models.delete(run.modelHash);
		};
		const { mixedEngines = run.mixedEngines } = options;
		const announcing = announce(bus, server, { ...run, onWorkers, notices, mixedEngines }, address);
		const announced = await announcing.catch((error) => {
			forget();
			throw error;
		});
		const { dispatcher } = announced;
		dispatchers.set(run.runId, dispatcher);
		const close = async () => {
			dispatchers.delete(run.runId);
			await waitAtMost(RUN_CLOSE_MS, dispatcher.stop());
			forget();
		};
		const refusals = () => countRefusals(bus, server);
		return { ...announced, tensors: server, notices, refusals, close };
	};
	return { open, close };
}

/** HOST:PORT that workers dial of a server that listens there. */
async function advertised(listening: string, advertise: NatsClusterOptions["advertise"]): Promise<string> {
	return typeof advertise === "function" ? advertise(listening) : (advertise ?? listening);
}

/** Announces a run to the workers that have joined a NATS server, and serves them its tensors. */
export async function openNatsCluster(options: NatsClusterOptions, run: ClusterRun): Promise<Cluster> {
	const host = await connectNatsHost(options);
	try {
		const cluster = await host.open(run);
		const close = async () => {
			await cluster.close();
			await host.close();
		};
		return { ...cluster, close };
	} catch (error) {
		await host.close();
		throw error;
	}
}

/** The workers that have joined; waits for the first one. */
export async function countNatsWorkers(options: NatsClusterOptions): Promise<number> {
	const bus = await connect(options);
	const watch = new WorkerWatch(0, options.events, options.notices ?? new Notices());
	try {
		return await endedBy(options.interrupt, countWorkers)(bus);
	} finally {
		watch.end();
		await bus.close();
	}
}

async function countWorkers(bus: NatsBus): Promise<number> {
	const there = await bus.listWorkers();
	if (there.length > 0) return there.length;
	for await (const { type } of bus.watchWorkers(new AbortController().signal)) if (type === "joined") break;
	await sleep(OTHER_WORKERS_MS);
	return (await bus.listWorkers()).length;
}

async function connect({ nats, access, notices, replicas, interrupt }: NatsClusterOptions): Promise<NatsBus> {
	const shown = access ?? (await readNatsAccess());
	const open = () =>
		connectNatsBus({ servers: nats, role: "coordinator", notices, replicas, signal: interrupt, ...shown });
	return endedBy(interrupt, open)();
}

/** The same, but it rejects with TailtuneError "interrupted" as soon as the signal aborts. */
function endedBy<Args extends readonly unknown[], T>(
	interrupt: AbortSignal | undefined,
	action: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
	if (!interrupt) return action;
	return async (...args) => {
		try {
			return await raceAbort(action(...args), interrupt);
		} catch (error) {
			throw interrupt.aborted ? new TailtuneError("interrupted", "stopped while waiting for NATS") : error;
		}
	};
}

// Workers dial what is announced.
function assertDialable(listen = "", advertise: NatsClusterOptions["advertise"]): void {
	if (typeof advertise === "string" && !/^[^:].*:[1-9]\d*$/.test(advertise))
		throw new TailtuneError("usage", `--advertise ${advertise}: ${DIALABLE}, as HOST:PORT`);
	if (advertise === undefined && isEveryAddress(listen))
		throw new TailtuneError("usage", `--listen ${listen}: ${DIALABLE}, or --advertise with that`);
}

function countRefusals(bus: NatsBus, server: TensorServer): Record<string, number> {
	return { ...Object.fromEntries(server.refusals), ...counted("NATS_MESSAGE", bus.refusedMessages) };
}

function counted(reason: string, count: number): Record<string, number> {
	return count > 0 ? { [reason]: count } : {};
}
