import { connectNatsBus, type NatsBus } from "../../shared/bus/nats-bus.ts";
import { within } from "../../shared/bus/nats-connection.ts";
import { type NatsAccess, natsAccess } from "../../shared/bus/nats-credentials.ts";
import { type RpcSecurity, rpcSecurity } from "../../shared/cli/rpc-flags.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { serveTensors, type TensorServer } from "../../shared/tensors/grpc-coordinator-tensors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type AnnouncedRun, announceRun, type Cluster, type ClusterRun } from "./cluster.ts";
import { WorkerWatch } from "./worker-watch.ts";

/** A server that is gone for good can't be told that a run is over. */
const FAREWELL_MS = 5000;

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
	/** Where workers that join and leave are shown; default: nowhere. */
	readonly terminal?: Terminal | undefined;
}

/** Announces a run to the workers that have joined a NATS server, and serves them its tensors. */
export async function openNatsCluster(options: NatsClusterOptions, run: ClusterRun): Promise<Cluster> {
	const { listen, terminal } = options;
	assertDialable(listen);
	const security = options.security ?? (await rpcSecurity({}));
	const bus = await connect(options);
	const watch = new WorkerWatch(run.shards, terminal);
	let announced: AnnouncedRun | undefined;
	let server: TensorServer | undefined;
	const leave = async () => {
		watch.end();
		await server?.close();
		await bus.close();
	};
	try {
		server = await serveTensors({
			listen,
			...security,
			models: new Map([[run.modelHash, run.model.folder]]),
			isExpected: (_, itemKey) => announced?.dispatcher.isExpected(itemKey) ?? false,
			onWorkerConnected: (workerId) => announced?.dispatcher.connectWorker(workerId),
			onWorkerLost: (workerId) => announced?.dispatcher.loseWorker(workerId),
		});
		announced = await announceRun(bus, server, { ...run, onWorkers: (change) => watch.tell(change) }, server.address);
	} catch (error) {
		await leave();
		throw error;
	}
	const { dispatcher } = announced;
	const close = async () => {
		await within(FAREWELL_MS, dispatcher.stop());
		await leave();
	};
	const refusals = () => ({ ...countRefusals(bus, server), ...counted("ANSWER", dispatcher.refusedAnswers) });
	return { ...announced, tensors: server, hasWorkers: () => watch.hasWorkers, refusals, close };
}

/** The workers that have joined; waits for the first one. */
export async function countNatsWorkers(options: NatsClusterOptions, interrupt: AbortSignal): Promise<number> {
	const bus = await connect(options);
	const watch = new WorkerWatch(0, options.terminal);
	try {
		const there = await bus.listWorkers();
		if (there.length > 0) return there.length;
		for await (const { type } of bus.watchWorkers(interrupt)) if (type === "joined") break;
		if (interrupt.aborted) throw new TailtuneError("interrupted", "stopped while there was no worker");
		return (await bus.listWorkers()).length;
	} finally {
		watch.end();
		await bus.close();
	}
}

async function connect({ nats, access }: NatsClusterOptions): Promise<NatsBus> {
	return connectNatsBus({ servers: nats, role: "coordinator", ...(access ?? (await natsAccess())) });
}

// Workers dial what is announced.
function assertDialable(listen: string | undefined): void {
	if (listen === undefined || !/^(0\.0\.0\.0|\[::\]):\d+$/.test(listen)) return;
	throw new TailtuneError(
		"usage",
		`--listen ${listen}: expected the address or name under which workers find this host`,
	);
}

function countRefusals(bus: NatsBus, server: TensorServer | undefined): Record<string, number> {
	return { ...Object.fromEntries(server?.refusals ?? []), ...counted("NATS_MESSAGE", bus.refusedMessages) };
}

function counted(reason: string, count: number): Record<string, number> {
	return count > 0 ? { [reason]: count } : {};
}
