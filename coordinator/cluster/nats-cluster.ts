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
import type { Traffic } from "../rpc/http2-servers.ts";
import { announceRun, type Cluster, type ClusterRun, type OpenCluster } from "./cluster.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { WorkerWatch } from "./worker-watch.ts";

/** Addresses and credentials of a coordinator that reaches its workers over NATS. */
export interface NatsClusterOptions {
	/** One or more URLs, separated by commas. */
	readonly nats: string;
	/** Credentials for NATS; default: those of the environment. */
	readonly access?: NatsAccess | undefined;
	/** HOST:PORT on which workers fetch parameters; default: a free port on loopback. */
	readonly listen?: string | undefined;
	/** Flag that gives this address, for messages. */
	readonly flag?: string | undefined;
	/** Credentials that workers need on that port; default: those of the environment. */
	readonly security?: RpcSecurity | undefined;
	/** Receives an event for each worker that joins or leaves. Default: none. */
	readonly events?: RunEvents | undefined;
	/** Receives problems that hold up the cluster. Default: none. */
	readonly notices?: Notices | undefined;
	/** Ends every wait for NATS until the run has begun. Default: nothing ends them. */
	readonly interrupt?: AbortSignal | undefined;
	/** Servers that keep a copy of each stream; default: 3 in a NATS cluster of at least 3 servers, otherwise 1. */
	readonly replicas?: number | undefined;
	/**
	 * Workers with other engines than the first one's take part too. Default: the setting of the run, otherwise false.
	 */
	readonly mixedEngines?: boolean | undefined;
	/**
	 * HOST:PORT to which workers connect if it is forwarded, or a function of the listening address. Default: `listen`.
	 */
	readonly advertise?: string | ((listening: string) => Promise<string>) | undefined;
}

/** A coordinator that is connected to NATS and can announce several runs at the same time. */
export interface NatsHost {
	/** Announces a run to the workers that have joined, and serves its tensors to them. */
	readonly open: OpenCluster;
	close(): Promise<void>;
}

/** State of a `NatsHost`. */
interface HostParts {
	readonly options: NatsClusterOptions;
	readonly bus: NatsBus;
	readonly server: TensorServer;
	/** HOST:PORT to which workers connect. */
	readonly address: string;
	/** By run. */
	readonly dispatchers: Map<string, Dispatcher>;
	/** Folders of the models that workers may fetch, by the hash of their weights. */
	readonly models: Map<string, string>;
}

/** Connects to NATS and begins to serve tensors. */
export async function connectNatsHost(options: NatsClusterOptions): Promise<NatsHost> {
	const { listen, flag, advertise } = options;
	const security = options.security ?? (await readRpcSecurity({}));
	const bus = await connect(options);
	const dispatchers: HostParts["dispatchers"] = new Map();
	const models: HostParts["models"] = new Map();
	const forEach = (action: (dispatcher: Dispatcher) => void) => [...dispatchers.values()].forEach(action);
	let server: TensorServer | undefined;
	const close = async () => {
		await server?.close();
		await bus.close();
	};
	try {
		server = await serveTensors({
			...{ listen, flag },
			...security,
			models,
			onWorkerConnected: (workerId) => forEach((dispatcher) => dispatcher.connectWorker(workerId)),
			onWorkerLost: (workerId) => forEach((dispatcher) => dispatcher.loseWorker(workerId)),
		});
		const address = typeof advertise === "function" ? await advertise(server.address) : (advertise ?? server.address);
		const host: HostParts = { options, bus, server, address, dispatchers, models };
		return { open: (run) => openRun(host, run), close };
	} catch (error) {
		await close();
		throw error;
	}
}

async function openRun({ options, bus, server, address, dispatchers, models }: HostParts, run: ClusterRun) {
	const { events, interrupt, notices = new Notices(), mixedEngines = run.mixedEngines } = options;
	models.set(run.modelHash, run.model.folder);
	const watch = new WorkerWatch(run.shards, events, notices);
	const onWorkers: ClusterRun["onWorkers"] = (change) => watch.report(change);
	const forget = () => {
		watch.end();
		server.closeRun(run.runId);
		// A server opens a run for each new model, whose weights may be those of the model before.
		if (models.get(run.modelHash) === run.model.folder) models.delete(run.modelHash);
	};
	const announcing = interruptible(interrupt, announceRun)(
		bus,
		server,
		{ ...run, onWorkers, notices, mixedEngines },
		address,
	);
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
	const counters = { refusals: () => countRefusals(bus, server), traffic: () => addTraffic(bus, server) };
	return { ...announced, tensors: server, notices, ...counters, close };
}

/** Connects to NATS, announces one run to the workers that have joined, and serves its tensors to them. */
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

/** Counts the workers that have joined; waits for the first one. */
export async function countNatsWorkers(options: NatsClusterOptions): Promise<number> {
	const bus = await connect(options);
	const watch = new WorkerWatch(0, options.events, options.notices ?? new Notices());
	try {
		return await interruptible(options.interrupt, countWorkers)(bus);
	} finally {
		watch.end();
		await bus.close();
	}
}

async function countWorkers(bus: NatsBus): Promise<number> {
	const { length } = await bus.listWorkers();
	if (length > 0) return length;
	for await (const { type } of bus.watchWorkers(new AbortController().signal)) if (type === "joined") break;
	await sleep(OTHER_WORKERS_MS);
	return (await bus.listWorkers()).length;
}

async function connect({ nats, access, notices, replicas, interrupt }: NatsClusterOptions): Promise<NatsBus> {
	const credentials = access ?? (await readNatsAccess());
	const open = () =>
		connectNatsBus({ servers: nats, role: "coordinator", notices, replicas, signal: interrupt, ...credentials });
	return interruptible(interrupt, open)();
}

/** Returns the action, which then rejects with TailtuneError "interrupted" as soon as the signal aborts. */
function interruptible<Args extends readonly unknown[], T>(
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

function addTraffic(bus: NatsBus, server: TensorServer): Traffic {
	const [ofBus, ofServer] = [bus.traffic, server.traffic()];
	return { sent: ofBus.sent + ofServer.sent, received: ofBus.received + ofServer.received };
}

function countRefusals(bus: NatsBus, server: TensorServer): Record<string, number> {
	return {
		...Object.fromEntries(server.refusals),
		...(bus.refusedMessages > 0 && { NATS_MESSAGE: bus.refusedMessages }),
		...(server.refusedParts > 0 && { UPDATE_PART: server.refusedParts }),
	};
}
