import { TailtuneError } from "../../shared/errors.ts";
import { type GivenUp, Supervisor } from "../../shared/processes/supervisor.ts";
import { WorkerProcess } from "../../shared/processes/worker-process.ts";
import type { NvidiaGpu } from "../engine/nvidia-gpus.ts";
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from "../run/heartbeat.ts";

/** A worker that ends so many times in a row before it has joined won't ever join. */
const MAX_FAILED_STARTS = 3;

/** Of a process that was called wrongly: the next one would be called in the same way. */
const USAGE_EXIT_CODE = 2;

/** Time for the item in hand, after a worker was asked to end. */
const GPU_WORKER_STOP_MS = 60_000;

export interface GpuWorkersOptions {
	readonly gpus: readonly NvidiaGpu[];
	/** What follows `tailtune worker`, for each. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Asks all to end. */
	readonly end: AbortSignal;
	/** Called with each line that a worker writes, and for each restart, with the GPU's number first. */
	readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/**
 * Keeps a worker process on each of the GPUs, which sees only that GPU, until it is asked to end; then waits for all. A
 * process that ends by itself is started again, after a pause that doubles each time.
 * @throws TailtuneError "engine" if one ends again and again before it has joined, "usage" if it was called wrongly; the
 * others are ended first
 */
export async function serveOnGpus({ gpus, end, ...options }: GpuWorkersOptions): Promise<void> {
	const supervisors = gpus.map((gpu) => superviseOn(gpu, options));
	const stop = async () => {
		await Promise.all(supervisors.map((supervisor) => supervisor.stop()));
	};
	const onEnd = () => void stop();
	end.addEventListener("abort", onEnd);
	if (end.aborted) onEnd();
	try {
		await Promise.all(supervisors.map(async ({ ended }, i) => failWith(gpus[i] as NvidiaGpu, await ended)));
	} finally {
		end.removeEventListener("abort", onEnd);
		await stop();
	}
}

function superviseOn(gpu: NvidiaGpu, { args, env, onLine }: Omit<GpuWorkersOptions, "gpus" | "end">) {
	const say: GpuWorkersOptions["onLine"] = (line, stream) => onLine(`GPU ${gpu.index}: ${line}`, stream);
	const ownEnv = { ...env, CUDA_VISIBLE_DEVICES: gpu.uuid };
	return new Supervisor({
		start: () => new WorkerProcess({ args, env: ownEnv, stopMs: GPU_WORKER_STOP_MS, onLine: say }),
		policy: {
			maxFailedStarts: MAX_FAILED_STARTS,
			hopelessCodes: [USAGE_EXIT_CODE],
			firstPauseMs: FIRST_PAUSE_MS,
			longestPauseMs: LONGEST_PAUSE_MS,
			stableMs: LONGEST_PAUSE_MS,
		},
		onRestart: ({ how }, pauseMs) =>
			say(`its worker ended with ${how}; starting another in ${pauseMs / 1000} s`, "stderr"),
	});
}

function failWith({ index }: NvidiaGpu, reason: GivenUp | undefined): void {
	if (reason === undefined) return;
	const { how, code } = reason.last;
	if (code === USAGE_EXIT_CODE) throw new TailtuneError("usage", `GPU ${index}: its worker ended with ${how}`);
	const what = `its worker ended ${reason.ends} times before it had joined, the last time with ${how}`;
	throw new TailtuneError("engine", `GPU ${index}: ${what}`);
}
