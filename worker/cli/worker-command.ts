import type { Command } from "commander";
import { connectNatsBus } from "../../shared/bus/nats-bus.ts";
import { natsCredentials } from "../../shared/bus/nats-credentials.ts";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/cli/flags.ts";
import { interruptSignal } from "../../shared/cli/interrupt.ts";
import { resolveConfig } from "../../shared/cli/resolve-config.ts";
import type { WorkerOptions } from "../../shared/embedded-worker.ts";
import { featureCacheBytes, featureMemoryBytes } from "../../shared/feature-memory.ts";
import { countPhysicalCores } from "../../shared/physical-cores.ts";
import { readToken } from "../../shared/rpc/credentials.ts";
import { connectTensors } from "../../shared/tensors/grpc-worker-tensors.ts";
import { startWorker } from "../lifecycle.ts";

/** `tailtune worker`: computes for the runs announced on a NATS server, one after another or several at a time. */
export function addWorkerCommand(program: Command): void {
	const command = program
		.command("worker")
		.description("compute for the runs announced on a NATS server, until Ctrl-C")
		.requiredOption("--nats <urls>", "one or more URLs of NATS servers with commas between");
	addConfigFlags(command, [...ENGINE_SETTINGS, "featureCache"]).action(async (options: { nats: string }) => {
		const config = await resolveConfig(parseFlags(options));
		const { engine, backend, threads = countPhysicalCores() } = config;
		const interrupted = interruptSignal();
		const bus = await connectNatsBus({ servers: options.nats, role: "worker", credentials: await natsCredentials() });
		const worker = await startWorker({
			bus,
			connect,
			engine: { engine, backend, threads },
			featureMemoryBytes: featureMemoryBytes(config.featureMemory),
			featureCacheBytes: featureCacheBytes(config.featureCache),
		});
		const { workerId, trunkEngine, device } = worker.info;
		process.stdout.write(`worker ${workerId} joined ${options.nats}: ${trunkEngine}, ${threads} threads, ${device}\n`);
		interrupted.addEventListener("abort", () => worker.stop().catch(() => {}));
		try {
			await worker.stopped;
		} finally {
			await bus.close();
		}
	});
}

/** Dials the coordinator that announced a run; its model is fetched from there unless it is in the cache. */
const connect: WorkerOptions["connect"] = async ({ tensorsAddress, modelHash }, workerId) => {
	const token = await readToken({ file: process.env.TAILTUNE_TOKEN_FILE });
	const tensors = await connectTensors(tensorsAddress, { workerId, token });
	return { tensors, openModel: () => tensors.fetchModel(modelHash), close: () => tensors.close() };
};
