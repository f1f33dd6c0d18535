import { connectNatsBus } from "../../shared/bus/nats-bus.ts";
import { natsCredentials } from "../../shared/bus/nats-credentials.ts";
import { readToken } from "../../shared/rpc/credentials.ts";
import { serveTensors } from "../../shared/tensors/grpc-coordinator-tensors.ts";
import { announceRun, type Cluster, type ClusterRun, type OpenCluster } from "./cluster.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Where workers and coordinator meet. Secrets come from the environment, never from flags. */
export interface NatsClusterOptions {
	/** One or more URLs with commas between. */
	readonly nats: string;
	/** HOST:PORT on which workers fetch parameters; default: a free port on loopback. */
	readonly listen?: string | undefined;
}

/** A coordinator's place at a NATS server, from which it announces runs, one or several at a time. */
export interface NatsHost {
	/** Announces a run to the workers that have joined, and serves them its tensors. */
	readonly open: OpenCluster;
	close(): Promise<void>;
}

/** Connects to NATS and begins to serve tensors. */
export async function connectNatsHost({ nats, listen }: NatsClusterOptions): Promise<NatsHost> {
	const bus = await connectNatsBus({ servers: nats, role: "coordinator", credentials: await natsCredentials() });
	const dispatchers = new Map<string, Dispatcher>();
	const models = new Map<string, string>();
	const server = await serveTensors({
		listen,
		token: await readToken({ file: process.env.TAILTUNE_TOKEN_FILE }),
		models,
		isExpected: (runId, itemKey) => dispatchers.get(runId)?.isExpected(itemKey) ?? false,
		onWorkerLost: (workerId) => {
			for (const dispatcher of dispatchers.values()) dispatcher.loseWorker(workerId);
		},
	}).catch(async (error) => {
		await bus.close();
		throw error;
	});
	const open = async (run: ClusterRun) => {
		models.set(run.modelHash, run.model.folder);
		const { spec, dispatcher } = await announceRun(bus, server, run, server.address);
		dispatchers.set(run.runId, dispatcher);
		const close = async () => {
			dispatchers.delete(run.runId);
			await dispatcher.stop();
			server.closeRun(run.runId);
		};
		return { spec, dispatcher, tensors: server, close };
	};
	const close = async () => {
		await server.close();
		await bus.close();
	};
	return { open, close };
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
