import { freemem } from "node:os";
import type { TailSpec } from "../../shared/messages.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { blockShapes, parameterLayout } from "../../shared/model/parameter-layout.ts";
import { sizeOf } from "../../shared/model/safetensors-header.ts";
import { countFrozenBlocks, hasLora } from "../../shared/model/tail-spec.ts";
import type { TrunkPrecision } from "../../shared/model/trunk-precision.ts";
import type { ClusterRun } from "../cluster/cluster.ts";
import type { RunEvents } from "../events/run-events.ts";
import { formatBytes } from "../format.ts";

/** Memory of the program and its libraries, measured with GPT-2 small. */
const PROGRAM_BYTES = 0.3 * 2 ** 30;

/**
 * Vectors of the size of the trained parameters: the parameters, those of the best epoch, AdamW's two moments,
 * gradients and updates, and copies in the engine. Measured with GPT-2 small and medium.
 */
const VECTORS = 7;

/**
 * Estimates the bytes that a run needs in one process, without the kept features of its texts, which `--feature-memory`
 * limits, and without activations, which are small for short texts.
 */
export function estimateMemory(tail: TailSpec, config: Gpt2Config, precision: TrunkPrecision): number {
	const block = blockShapes(0, config).reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
	const frozen = countFrozenBlocks(tail, config.n_layer) * block * (precision === "int8" ? 1 : 4);
	const ofLora = hasLora(tail) ? 4 * config.n_layer * block : 0;
	return PROGRAM_BYTES + frozen + ofLora + VECTORS * 4 * parameterLayout(tail, config).trainedSize;
}

/**
 * Warns if a run needs more memory than is free on this machine.
 * @param processes that compute on this machine
 */
export function warnIfMemoryIsShort(
	{ tail, model, trunkPrecision }: Pick<ClusterRun, "tail" | "model" | "trunkPrecision">,
	processes: number,
	events: Pick<RunEvents, "warn">,
	freeBytes = freemem(),
): void {
	const needed = processes * estimateMemory(tail, model.config, trunkPrecision);
	if (needed <= freeBytes) return;
	const found = `this run needs about ${formatBytes(needed)} of memory, of which ${formatBytes(freeBytes)} are free`;
	const advice = "a smaller model, --trainable head or --trunk-precision int8 needs less";
	events.warn(`${found}: the system may stop it; ${advice}`);
}

/**
 * Returns a function that warns if a run needs more memory than is free, once for all runs of a sweep.
 * @param processes as for `warnIfMemoryIsShort`
 */
export function createMemoryCheck(processes: number): (run: ClusterRun, events: Pick<RunEvents, "warn">) => void {
	let hasWarned = false;
	return (run, events) => {
		const warn = (text: string) => {
			if (!hasWarned) events.warn(text);
			hasWarned = true;
		};
		warnIfMemoryIsShort(run, processes, { warn });
	};
}
