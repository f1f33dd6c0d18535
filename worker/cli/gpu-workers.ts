import { setTimeout as sleep } from "node:timers/promises";
import { TailtuneError } from "../../shared/errors.ts";
import { WorkerProcess } from "../../shared/processes/worker-process.ts";
import type { NvidiaGpu } from "../engine/nvidia-gpus.ts";
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from "../run/heartbeat.ts";

/** A worker that ends so many times in a row without having joined won't ever join. */
const TRIES = 3;

/** A process that was called wrongly ends so; it would be called so again. */
const USAGE_EXIT_CODE = 2;

export interface GpuWorkersOptions {
	readonly gpus: readonly NvidiaGpu[];
	/** What follows `tailtune worker`, for each. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Asks all to end. */
	readonly end: AbortSignal;
	/** Told of each line that a worker writes, and of each that is started again, with the GPU's number before it. */
	readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/**
 * Keeps a worker process on each of the GPUs, which sees that one only, until it is asked to end; then waits for all.
 * One that ends by itself is started again, after a pause that doubles each time.
 * @throws TailtuneError "engine" where one ends again and again without having joined, "usage" where it was called wrongly; the
 * others are ended first
 */
export async function serveOnGpus(options: GpuWorkersOptions): Promise<void> {
	const failed = new AbortController();
	const end = AbortSignal.any([options.end, failed.signal]);
	const serving = options.gpus.map((gpu) =>
		keepServing(gpu, { ...options, end }).catch((error) => failed.abort(error)),
	);
	await Promise.all(serving);
	if (failed.signal.aborted) throw failed.signal.reason;
}

async function keepServing(gpu: NvidiaGpu, { args, env, end, onLine }: GpuWorkersOptions): Promise<void> {
	const say: GpuWorkersOptions["onLine"] = (line, stream) => onLine(`GPU ${gpu.index}: ${line}`, stream);
	const ownEnv = { ...env, CUDA_VISIBLE_DEVICES: gpu.uuid };
	let hasEverJoined = false;
	for (let ends = 1; !end.aborted; ends++) {
		const startedAt = performance.now();
		const { how, code, hasJoined } = await runUntil(end, new WorkerProcess({ args, env: ownEnv, onLine: say }));
		if (end.aborted) return;
		hasEverJoined ||= hasJoined;
		if (hasJoined && performance.now() - startedAt > LONGEST_PAUSE_MS) ends = 1;
		if (code === USAGE_EXIT_CODE) throw new TailtuneError("usage", `GPU ${gpu.index}: its worker ended with ${how}`);
		if (!hasEverJoined && ends === TRIES) {
			const what = `its worker ended ${TRIES} times before it had joined, the last time with ${how}`;
			throw new TailtuneError("engine", `GPU ${gpu.index}: ${what}`);
		}
		const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (ends - 1), LONGEST_PAUSE_MS);
		say(`its worker ended with ${how}; starting another in ${pauseMs / 1000} s`, "stderr");
		await sleep(pauseMs, undefined, { signal: end }).catch(() => {});
	}
}

async function runUntil(end: AbortSignal, worker: WorkerProcess): ReturnType<() => WorkerProcess["ended"]> {
	const stop = () => {
		worker.end().catch(() => {});
	};
	end.addEventListener("abort", stop);
	try {
		return await worker.ended;
	} finally {
		end.removeEventListener("abort", stop);
	}
}
