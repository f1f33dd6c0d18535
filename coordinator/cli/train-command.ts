import type { Command } from "commander";
import { addConfigFlags, parseFlags } from "../../shared/cli/flags.ts";
import { interruptSignal } from "../../shared/cli/interrupt.ts";
import { resolveConfig } from "../../shared/cli/resolve-config.ts";
import type { WorkerSide } from "../../shared/embedded-worker.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { OpenCluster } from "../run/cluster.ts";
import { openEmbeddedCluster } from "../run/embedded-cluster.ts";
import { openNatsCluster } from "../run/nats-cluster.ts";
import { type Environment, resume, train } from "../run/train.ts";
import { serveBeside } from "../serve/serve-beside.ts";
import { createTerminal } from "../terminal/terminal.ts";

interface Options extends Record<string, unknown> {
	readonly config?: string;
	readonly resume?: string;
	readonly nats?: string;
	readonly listen?: string;
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
		.option("--nats <urls>", "use the workers that have joined this NATS server, instead of one in this process")
		.option("--listen <host:port>", "with --nats: where workers fetch parameters (default: a free port on loopback)")
		.option("--serve [host:port]", "answer Classify calls with the best model so far (default: 127.0.0.1:50051)");
	addConfigFlags(command).action(async (_, { optsWithGlobals }: Command) => {
		const options: Options = optsWithGlobals.call(command);
		const openCluster: OpenCluster = (run) =>
			options.nats === undefined
				? openEmbeddedCluster(workerSide, run)
				: openNatsCluster({ nats: options.nats, listen: options.listen }, run);
		const address = options.serve === true ? "127.0.0.1:50051" : options.serve;
		const environment: Environment = {
			openCluster,
			terminal: createTerminal(options),
			interrupt: interruptSignal(),
			serveBeside: address === undefined ? undefined : serveBeside(address),
		};
		await (options.resume === undefined ? startNew(options, environment) : goOn(options.resume, options, environment));
	});
}

async function startNew(options: Options, environment: Environment): Promise<void> {
	const config = await resolveConfig(parseFlags(options), options.config);
	const { folder, result } = await train(config, environment);
	environment.terminal.result(folder, result);
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
	environment.terminal.result(folder, result);
}
