import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { Notices } from "../../shared/notices.ts";
import { interruptSignal } from "../../shared/processes/interrupt.ts";
import { addConfigFlags, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import { addRpcFlags, type RpcFlags, readRpcSecurity } from "../../shared/settings/rpc-flags.ts";
import type { WorkerSide } from "../../shared/worker-port.ts";
import { openEmbeddedCluster } from "../cluster/embedded-cluster.ts";
import { MOST_REPLICAS, REPLICAS_HELP } from "../cluster/nats-replicas.ts";
import type { RunEvents } from "../events/run-events.ts";
import { type Environment, resume, train } from "../training/train.ts";
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

/** `tailtune train`: a run from the beginning, or on from where one stopped. */
export function addTrainCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("train")
		.description("tune a model on labelled texts and leave a result folder")
		.option("--config <file>", "settings in a YAML file, under the names of the flags in camelCase")
		.option("--resume <run>", "go on with a run that was interrupted")
		.option("--serve [host:port]", "answer Classify calls with the best model so far (default: 127.0.0.1:50051)")
		.optionsGroup("Where it computes:")
		.option("--workers <n>", "compute in N processes of this machine; nats-server is started, and installed if missing")
		.option("--nats <urls>", "compute on the workers that have joined this NATS server, instead of in this process")
		.option("--listen <host:port>", "with --nats: where workers fetch parameters (default: a free port on loopback)")
		.option("--advertise <host:port>", "what workers dial, where that isn't --listen, as behind a proxy or NAT")
		.option("--nats-replicas <n>", REPLICAS_HELP)
		.option("--mixed-engines", "with --nats: workers with other engines than the first one's take part too");
	addConfigFlags(addRpcFlags(command).optionsGroup("Settings of the run:")).action(
		async (_, { optsWithGlobals }: Command) => {
			const options: Options = optsWithGlobals.call(command);
			const events = showEvents(options);
			const interrupt = interruptSignal();
			const workers = await chooseWorkers(options, workerSide, events, interrupt);
			const address = options.serve === true ? "127.0.0.1:50051" : options.serve;
			const server =
				address === undefined ? undefined : (await import("../training/serve-beside.ts")).serveBeside(address);
			const environment = { events, interrupt, ...workers, serveBeside: server };
			await (options.resume === undefined
				? startNew(options, environment)
				: goOn(options.resume, options, environment));
		},
	);
}

type Workers = Pick<Environment, "openCluster" | "countWorkers">;

/** Who computes: this process, processes of this machine, or whoever has joined a NATS server. */
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
	if (nats === undefined && extra !== undefined)
		throw new TailtuneError("usage", `${extra}: expected --nats beside it`);
	if (nats === undefined) return { openCluster: (run) => openEmbeddedCluster(workerSide, run) };
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
	if (extra !== undefined)
		throw new TailtuneError("usage", `--workers: found ${extra} beside it, expected one or the other`);
	return count;
}

/** Flags given that only a cluster of several machines has a use for. */
function clusterFlags(options: Options): string[] {
	const { listen, advertise, natsReplicas, mixedEngines, tokenFile, tlsCert, tlsKey, tlsCa } = options;
	const own = { listen, advertise, "nats-replicas": natsReplicas, "mixed-engines": mixedEngines };
	const flags = { ...own, "token-file": tokenFile, "tls-cert": tlsCert, "tls-key": tlsKey, "tls-ca": tlsCa };
	return Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`]));
}

async function startNew(options: Options, environment: Environment): Promise<void> {
	const config = await resolveConfig(parseFlags(options), options.config);
	const { folder, result } = await train(config, environment);
	environment.events.emit({ event: "result", folder, ...result });
}

async function goOn(run: string, options: Options, environment: Environment): Promise<void> {
	const [extra] = Object.keys(parseFlags(options));
	if (extra !== undefined || options.config !== undefined) {
		throw new TailtuneError(
			"usage",
			`--resume: found --${extra ?? "config"} beside it; a run goes on with its own settings`,
		);
	}
	const { folder, result } = await resume(run, environment);
	environment.events.emit({ event: "result", folder, ...result });
}
