import type { Command } from "commander";
import type { Bus } from "../../shared/bus/bus.ts";
import { describeWorker } from "../../shared/describe-worker.ts";
import { describeNotice, Notices } from "../../shared/notices.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { endWithParent, reportJoined } from "../../shared/processes/tailtune-process.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { featureCacheBytes, featureMemoryBytes } from "../../shared/settings/feature-memory.ts";
import { addConfigFlags, parseFlags, WORKER_SETTINGS } from "../../shared/settings/flags.ts";
import { createAddressCheck } from "../../shared/settings/host-port.ts";
import { checkNatsUrls } from "../../shared/settings/nats-urls.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import { addRpcFlags, type RpcFlags, readRpcSecurity } from "../../shared/settings/rpc-flags.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import type { RunningWorker } from "../../shared/worker-port/running-worker.ts";
import { addGpusFlag, runOnGpus } from "./gpus-flag.ts";

interface Options extends Record<string, unknown>, RpcFlags {
	readonly nats: string;
	readonly coordinator?: string;
	readonly requireGpu?: boolean;
	readonly gpus?: string;
}

/** `tailtune worker`: computes for the runs of a NATS server, one or several at a time. */
export function addWorkerCommand(program: Command): void {
	const command = program
		.command("worker")
		.description("compute for the runs of a NATS server, until Ctrl-C")
		.requiredOption("--nats <urls>", "required; URLs of NATS servers, separated by commas", checkNatsUrls)
		.option(
			"--coordinator <host:port,…>",
			"compute only for runs of these coordinators (default: all)",
			createAddressCheck("--coordinator", { isList: true }),
		)
		.option("--require-gpu", "fail if there is no GPU, instead of using the processor");
	addConfigFlags(addRpcFlags(addGpusFlag(command)), WORKER_SETTINGS).action(runWorker);
}

async function runWorker(options: Options, command: Command): Promise<void> {
	const config = await resolveConfig(parseFlags(options));
	const security = await readRpcSecurity(options);
	const interrupted = createInterruptSignal();
	endWithParent();
	if (options.gpus !== undefined) return runOnGpus(options.gpus, config, command, interrupted);
	const [{ readNatsAccess }, { connectNatsBus }, { newWorkerId, startWorker }, { dialCoordinator }] = await Promise.all(
		[
			import("../../shared/bus/nats/credentials.ts"),
			import("../../shared/bus/nats/nats-bus.ts"),
			import("../run/lifecycle.ts"),
			import("./dial-coordinator.ts"),
		],
	);
	const workerId = newWorkerId();
	const print = (line: string) => process.stdout.write(`worker ${workerId} ${line}\n`);
	const notices = new Notices((notice) => print(`notice: ${describeNotice(notice)}`));
	const server = { servers: options.nats, role: "worker", notices, signal: interrupted } as const;
	const connecting = async () => connectNatsBus({ ...server, ...(await readNatsAccess()) });
	const bus = await startUnlessAborted(interrupted, connecting);
	if (!bus) return;
	try {
		const compute = computeOptions(options, config);
		const coordinators = options.coordinator?.split(",");
		const connect = dialCoordinator(security, { coordinators, threads: compute.engine.threads, bus });
		const starting = startWorker({ bus, connect, notices, ...compute }, { workerId });
		const worker = await startUnlessAborted(interrupted, () => starting);
		if (!worker) return;
		print(`joined ${options.nats}: ${describeWorker(worker.info)}`);
		reportJoined();
		await serveUntil(interrupted, worker, bus, notices);
	} finally {
		await bus.close();
	}
}

/** Returns the settings of the worker's engine and features. */
function computeOptions({ requireGpu = false }: Options, config: TrainConfig) {
	const { engine, backend, threads = countPhysicalCores(), featureMemory, featureCache } = config;
	return {
		engine: { engine, backend, threads, requireGpu },
		featureMemoryBytes: featureMemoryBytes(featureMemory),
		featureCacheBytes: featureCacheBytes(featureCache),
	};
}

/** Serves until the signal; then finishes the current item, but doesn't wait for a NATS server that doesn't answer. */
async function serveUntil(signal: AbortSignal, worker: RunningWorker, bus: Bus, notices: Notices): Promise<void> {
	const stop = () => {
		worker.stop().catch(() => {});
		notices.onHeldUp(() => void bus.close().catch(() => {}));
	};
	signal.addEventListener("abort", stop);
	if (signal.aborted) stop();
	await worker.stopped;
}

/** Waits for `start`. @returns undefined as soon as the signal aborts */
async function startUnlessAborted<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T | undefined> {
	try {
		return await raceAbort(start(), signal);
	} catch (error) {
		if (signal.aborted) return undefined;
		throw error;
	}
}
