import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { WORKER_SETTINGS } from "../../shared/settings/flags.ts";
import { sharedWorkerFlags } from "../../shared/settings/worker-flags.ts";
import { findNvidiaGpus } from "../engine/nvidia-gpus.ts";
import { serveOnGpus } from "./gpu-workers.ts";

/** Adds `--gpus`. */
export function addGpusFlag(command: Command): Command {
	return command.option(
		"--gpus <which>",
		"one worker process per NVIDIA GPU: all, or GPU numbers (0,2) (default: one process)",
	);
}

/**
 * `tailtune worker --gpus`: runs one worker process per GPU, with the other flags of this process.
 * @throws TailtuneError as `findNvidiaGpus` and `serveOnGpus`; "usage" if the backend can't be limited to one GPU
 */
export async function runOnGpus(which: string, config: TrainConfig, command: Command, end: AbortSignal): Promise<void> {
	const backend = backendOf(config);
	const gpus = findNvidiaGpus(which);
	const args = [...otherFlags(command), ...sharedWorkerFlags({ ...config, backend }, gpus.length), "--require-gpu"];
	await serveOnGpus({
		gpus,
		args,
		env: process.env,
		end,
		onLine: (line, stream) => process[stream].write(`${line}\n`),
	});
}

/** Returns a backend that CUDA_VISIBLE_DEVICES limits to one GPU. */
function backendOf({ engine, backend }: TrainConfig): TrainConfig["backend"] {
	if (backend === "auto") return engine === "onnx" ? "cuda" : "tensorflow";
	if (backend === "tensorflow" || backend === "cuda") return backend;
	const expected = "expected tensorflow or cuda, which can be limited to one GPU";
	throw new TailtuneError("usage", `--gpus: found --backend ${backend}, ${expected}`);
}

/** Returns the flags of this process without the flags that `runOnGpus` sets itself. */
function otherFlags(command: Command): string[] {
	const replaced: readonly string[] = ["gpus", "requireGpu", ...WORKER_SETTINGS];
	const options = [...(command.parent?.options ?? []), ...command.options];
	const values = command.optsWithGlobals();
	return options.flatMap((option) => {
		const name = option.attributeName();
		const value = values[name];
		const isGiven = command.getOptionValueSourceWithGlobals(name) === "cli";
		if (!isGiven || replaced.includes(name)) return [];
		return value === true ? [`${option.long}`] : [`${option.long}`, String(value)];
	});
}
