import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { ENGINE_SETTINGS } from "../../shared/settings/flags.ts";
import { sharedWorkerFlags } from "../../shared/settings/worker-flags.ts";
import { findNvidiaGpus } from "../engine/nvidia-gpus.ts";
import { serveOnGpus } from "./gpu-workers.ts";

/** Adds `--gpus`. */
export function addGpusFlag(command: Command): Command {
	return command.option("--gpus <which>", "a process for each of these NVIDIA GPUs: all, or numbers as in 0,2");
}

/**
 * `tailtune worker --gpus`: a worker process on each of the GPUs, called with the other flags of this one.
 * @throws TailtuneError as `findNvidiaGpus` and `serveOnGpus`, and "usage" for a backend that takes another GPU than it is told
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

/** Of those that see one GPU only where CUDA_VISIBLE_DEVICES says so. */
function backendOf({ engine, backend }: TrainConfig): TrainConfig["backend"] {
	if (backend === "auto") return engine === "onnx" ? "cuda" : "tensorflow";
	if (backend === "tensorflow" || backend === "cuda") return backend;
	const expected = "expected tensorflow or cuda, which keep to the GPU that they are given";
	throw new TailtuneError("usage", `--gpus: found --backend ${backend}, ${expected}`);
}

/** The flags that this process was called with, but for those that are said anew. */
function otherFlags(command: Command): string[] {
	const anew: readonly string[] = ["gpus", "requireGpu", ...ENGINE_SETTINGS];
	const options = [...(command.parent?.options ?? []), ...command.options];
	const values = command.optsWithGlobals();
	return options.flatMap((option) => {
		const name = option.attributeName();
		const value = values[name];
		const isGiven = command.getOptionValueSourceWithGlobals(name) === "cli";
		if (!isGiven || anew.includes(name)) return [];
		return value === true ? [`${option.long}`] : [`${option.long}`, String(value)];
	});
}
