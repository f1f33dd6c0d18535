import type { Command } from "commander";
import { describeNotice, Notices } from "../../shared/notices.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { addConfigFlags, ENGINE_SETTINGS, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import { addServeFlags, parseServeOptions, type ServeOptions } from "../serve/serve-options.ts";

/** Two, so that the next batch is ready while one is computed. */
const EMBEDDED_SHARDS = 2;

/** Enough for sixteen workers, or for eight with one batch waiting each. */
const NATS_SHARDS = 16;

/** `tailtune serve`: classifies texts over gRPC and HTTP with the model of a run, until Ctrl-C or SIGTERM. */
export function addServeCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("serve")
		.description("classify texts over gRPC and HTTP with the model of a run, even while it is still training")
		.argument("<run>", "result folder of a run");
	addConfigFlags(addServeFlags(command), [...ENGINE_SETTINGS, "trunkPrecision", "abstain", "threshold"]).action(
		async (run: string, _options: object, { optsWithGlobals }: Command) => {
			const given = optsWithGlobals.call(command);
			const options = parseServeOptions(given);
			const engine = await resolveConfig(parseFlags(given));
			const { serve } = await import("../serve/serve.ts");
			const interrupt = createInterruptSignal();
			const end = waitForEnd(interrupt);
			const cluster = await connect(options, workerSide, interrupt);
			try {
				const serving = await serve({ run, options, engine, ...cluster });
				process.send?.(serving.address);
				try {
					await Promise.race([serving.ready, end]);
					await end;
				} finally {
					await serving.drain();
				}
			} finally {
				await cluster.close();
				if (process.connected) process.disconnect();
			}
		},
	);
}

async function connect(options: ServeOptions, workerSide: WorkerSide, interrupt: AbortSignal) {
	const { nats, tensors, natsReplicas: replicas } = options;
	if (nats !== undefined) {
		const [{ createLog }, { connectNatsHost }] = await Promise.all([
			import("../serve/log.ts"),
			import("../cluster/nats-cluster.ts"),
		]);
		const log = createLog(options.logLevel);
		const notices = new Notices((notice) => log.warn(notice, describeNotice(notice)));
		const { open, close } = await connectNatsHost({
			nats,
			listen: tensors,
			flag: "--tensors",
			notices,
			replicas,
			interrupt,
		});
		return { openCluster: open, close, shards: NATS_SHARDS };
	}
	const { openEmbeddedCluster } = await import("../cluster/embedded-cluster.ts");
	const openCluster: OpenCluster = (run) => openEmbeddedCluster(workerSide, run, "thread");
	return { openCluster, close: async () => {}, shards: EMBEDDED_SHARDS };
}

/** Resolves at a signal, or when the parent process is gone (`train --serve` starts this process). */
function waitForEnd(interrupted: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (interrupted.aborted) resolve();
		interrupted.addEventListener("abort", () => resolve());
		process.once("disconnect", () => resolve());
	});
}
