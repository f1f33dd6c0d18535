import type { Command } from "commander";
import { connectNatsBus } from "../../shared/bus/nats-bus.ts";
import { natsAccess } from "../../shared/bus/nats-credentials.ts";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/cli/flags.ts";
import { interruptSignal } from "../../shared/cli/interrupt.ts";
import { resolveConfig } from "../../shared/cli/resolve-config.ts";
import { addRpcFlags, type RpcFlags, type RpcSecurity, rpcSecurity } from "../../shared/cli/rpc-flags.ts";
import { describeWorker } from "../../shared/describe-worker.ts";
import type { WorkerOptions } from "../../shared/embedded-worker.ts";
import { featureCacheBytes, featureMemoryBytes } from "../../shared/feature-memory.ts";
import { countPhysicalCores } from "../../shared/physical-cores.ts";
import { connectTensors } from "../../shared/tensors/grpc-worker-tensors.ts";
import { endWithParent, tellJoined } from "../../shared/worker-process.ts";
import { startWorker } from "../lifecycle.ts";
import { addGpusFlag, runOnGpus } from "./gpus-flag.ts";

interface Options extends Record<string, unknown>, RpcFlags {
	readonly nats: string;
	readonly requireGpu?: boolean;
	readonly gpus?: string;
}

/** `tailtune worker`: computes for the runs announced on a NATS server, one after another or several at a time. */
export function addWorkerCommand(program: Command): void {
	const command = program
		.command("worker")
		.description("compute for the runs announced on a NATS server, until Ctrl-C")
		.requiredOption("--nats <urls>", "one or more URLs of NATS servers with commas between")
		.option("--require-gpu", "refuse to compute on anything but a GPU");
	addConfigFlags(addRpcFlags(addGpusFlag(command)), [...ENGINE_SETTINGS, "featureCache"]).action(work);
}

async function work(options: Options, command: Command): Promise<void> {
	const config = await resolveConfig(parseFlags(options));
	const { engine, backend, threads = countPhysicalCores() } = config;
	const security = await rpcSecurity(options);
	const interrupted = interruptSignal();
	endWithParent();
	if (options.gpus !== undefined) return runOnGpus(options.gpus, config, command, interrupted);
	const bus = await connectNatsBus({ servers: options.nats, role: "worker", ...(await natsAccess()) });
	try {
		const worker = await startWorker({
			bus,
			connect: connectWith(security),
			engine: { engine, backend, threads, requireGpu: options.requireGpu === true },
			featureMemoryBytes: featureMemoryBytes(config.featureMemory),
			featureCacheBytes: featureCacheBytes(config.featureCache),
		});
		process.stdout.write(`worker ${worker.info.workerId} joined ${options.nats}: ${describeWorker(worker.info)}\n`);
		tellJoined();
		const stop = () => worker.stop().catch(() => {});
		interrupted.addEventListener("abort", stop);
		if (interrupted.aborted) await stop();
		await worker.stopped;
	} finally {
		await bus.close();
	}
}

/** Dials the coordinator that announced a run; its model is fetched from there unless it is in the cache. */
function connectWith(security: RpcSecurity): WorkerOptions["connect"] {
	return async ({ tensorsAddress, modelHash }, workerId) => {
		const tensors = await connectTensors(tensorsAddress, { workerId, ...security });
		return { tensors, openModel: () => tensors.fetchModel(modelHash), close: () => tensors.close() };
	};
}
