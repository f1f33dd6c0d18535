import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { Notices } from "../../shared/notices.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { addConfigFlags, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import { addRpcFlags, type RpcFlags, readRpcSecurity } from "../../shared/settings/rpc-flags.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { MOST_REPLICAS, REPLICAS_HELP } from "../cluster/nats-replicas.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { TrainOptions } from "../training/train-options.ts";
import { showEvents } from "./show-events.ts";

interface Options extends Record<string, unknown>, RpcFlags {
	readonly config?: string;
	readonly resume?: string;
	readonly workers?: string;
	readonly nats?: string;
	readonly listen?: string;
	readonly advertise?: string;
	readonly natsReplicas?: string;
	readonly mixedEngines?: boolean;
	readonly serve?: string | true;
	readonly json?: boolean;
}

/** `tailtune train`: starts a run, or resumes one. */
export function addTrainCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("train")
		.description("tune a model on labelled texts and write a result folder")
		.option("--config <file>", "YAML file with settings; keys are the flags in camelCase")
		.option("--resume <run>", "continue an interrupted run")
		.option("--serve [host:port]", "also serve the best model so far over gRPC (default: 127.0.0.1:50051)")
		.optionsGroup("Workers:")
		.option("--workers <n>", "use N worker processes on this machine; starts nats-server, and installs it if missing")
		.option("--nats <urls>", "use the workers of this NATS server; commas separate several URLs")
		.option(
			"--listen <host:port>",
			"with --nats: address for the workers' gRPC connections (default: a free port on loopback)",
		)
		.option("--advertise <host:port>", "address that workers connect to, if it differs from --listen (proxy or NAT)")
		.option("--nats-replicas <n>", REPLICAS_HELP)
		.option("--mixed-engines", "with --nats: allow workers with different engines; the result then depends on them");
	addConfigFlags(addRpcFlags(command).optionsGroup("Settings of the run:")).action(
		async (_, { optsWithGlobals }: Command) => {
			const options: Options = optsWithGlobals.call(command);
			const events = showEvents(options);
			const interrupt = createInterruptSignal();
			const workers = await chooseWorkers(options, workerSide, events, interrupt);
			const address = options.serve === true ? "127.0.0.1:50051" : options.serve;
			const startServer =
				address === undefined ? undefined : (await import("../training/run-server.ts")).createServerStarter(address);
			const environment = { events, interrupt, ...workers, startServer };
			await (options.resume === undefined
				? startNew(options, environment)
				: resumeRun(options.resume, options, environment));
		},
	);
}

type Workers = Pick<TrainOptions, "openCluster" | "countWorkers">;

/** Chooses the workers: this process, other processes on this machine, or the workers of a NATS server. */
async function chooseWorkers(
	options: Options,
	workerSide: WorkerSide,
	events: RunEvents,
	interrupt: AbortSignal,
): Promise<Workers> {
	const { workers, nats, listen, advertise } = options;
	const notices = new Notices((notice) => events.emit({ event: "notice", ...notice }));
	if (workers !== undefined) {
		const count = parseWorkers(options);
		const { openLocalCluster } = await import("../cluster/local-cluster.ts");
		return {
			openCluster: (run) => openLocalCluster({ workers: count, events, notices }, run),
			countWorkers: async () => count,
		};
	}
	const [extra] = clusterFlags(options);
	if (nats === undefined && extra !== undefined) throw new TailtuneError("usage", `${extra}: needs --nats`);
	if (nats === undefined) {
		const { openEmbeddedCluster } = await import("../cluster/embedded-cluster.ts");
		return { openCluster: (run) => openEmbeddedCluster(workerSide, run) };
	}
	const replicas = parseReplicas(options.natsReplicas);
	const { countNatsWorkers, openNatsCluster } = await import("../cluster/nats-cluster.ts");
	const cluster = {
		nats,
		listen,
		advertise,
		security: await readRpcSecurity(options),
		events,
		notices,
		interrupt,
		replicas,
		mixedEngines: options.mixedEngines,
	};
	return {
		openCluster: (run) => openNatsCluster(cluster, run),
		countWorkers: () => countNatsWorkers(cluster),
	};
}

function parseReplicas(given: string | undefined): number | undefined {
	if (given === undefined) return undefined;
	const count = Number(given);
	if (Number.isInteger(count) && count >= 1 && count <= MOST_REPLICAS) return count;
	throw new TailtuneError(
		"usage",
		`--nats-replicas: found "${given}", expected a whole number from 1 to ${MOST_REPLICAS}`,
	);
}

function parseWorkers(options: Options): number {
	const count = Number(options.workers);
	if (!Number.isInteger(count) || count < 1)
		throw new TailtuneError("usage", `--workers: found "${options.workers}", expected a whole number of at least 1`);
	const [extra] = [...(options.nats === undefined ? [] : ["--nats"]), ...clusterFlags(options)];
	if (extra !== undefined) throw new TailtuneError("usage", `--workers: can't be combined with ${extra}`);
	return count;
}

/** Returns the given flags that only work with a cluster of several machines. */
function clusterFlags(options: Options): string[] {
	const { listen, advertise, natsReplicas, mixedEngines, tokenFile, tlsCert, tlsKey, tlsCa } = options;
	const own = { listen, advertise, "nats-replicas": natsReplicas, "mixed-engines": mixedEngines };
	const flags = { ...own, "token-file": tokenFile, "tls-cert": tlsCert, "tls-key": tlsKey, "tls-ca": tlsCa };
	return Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`]));
}

async function startNew(options: Options, environment: TrainOptions): Promise<void> {
	const config = await resolveConfig(parseFlags(options), options.config);
	const { train } = await import("../training/train.ts");
	const { folder, result } = await train(config, environment);
	environment.events.emit({ event: "result", folder, ...result });
}

async function resumeRun(run: string, options: Options, environment: TrainOptions): Promise<void> {
	const [extra] = Object.keys(parseFlags(options));
	if (extra !== undefined || options.config !== undefined) {
		throw new TailtuneError(
			"usage",
			`--resume: can't be combined with --${extra ?? "config"}; a resumed run keeps its settings`,
		);
	}
	const { resume } = await import("../training/train.ts");
	const { folder, result } = await resume(run, environment);
	environment.events.emit({ event: "result", folder, ...result });
}
