import { connectNatsBus } from "../../shared/bus/nats-bus.ts";
import { natsCredentials } from "../../shared/bus/nats-credentials.ts";
import { readToken } from "../../shared/rpc/credentials.ts";
import { serveTensors } from "../../shared/tensors/grpc-coordinator-tensors.ts";
import { announceRun, type Cluster, type ClusterRun } from "./cluster.ts";

/** Where workers and coordinator meet. Secrets come from the environment, never from flags. */
export interface NatsClusterOptions {
	/** One or more URLs with commas between. */
	readonly nats: string;
	/** HOST:PORT on which workers fetch parameters; default: a free port on loopback. */
	readonly listen?: string | undefined;
	/** What workers dial instead, as where something between forwards it. */
	readonly forward?: ((address: string) => Promise<string>) | undefined;
}

/** Announces a run to the workers that have joined a NATS server, and serves them its tensors. */
export async function openNatsCluster(
	{ nats, listen, forward }: NatsClusterOptions,
	run: ClusterRun,
): Promise<Cluster> {
	const bus = await connectNatsBus({ servers: nats, role: "coordinator", credentials: await natsCredentials() });
	let announced: Awaited<ReturnType<typeof announceRun>> | undefined;
	const server = await serveTensors({
		listen,
		token: await readToken({ file: process.env.TAILTUNE_TOKEN_FILE }),
		models: new Map([[run.modelHash, run.model.folder]]),
		isExpected: (_, itemKey) => announced?.dispatcher.isExpected(itemKey) ?? false,
		onWorkerLost: (workerId) => announced?.dispatcher.loseWorker(workerId),
	});
	const leave = async () => {
		await server.close();
		await bus.close();
	};
	try {
		const address = forward ? await forward(server.address) : server.address;
		announced = await announceRun(bus, server, run, address);
	} catch (error) {
		await leave();
		throw error;
	}
	const { spec, dispatcher } = announced;
	const close = async () => {
		await dispatcher.stop();
		await leave();
	};
	return { spec, dispatcher, tensors: server, close };
}
