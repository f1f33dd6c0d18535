import { EXIT_CODES, TailtuneError } from "../../shared/errors.ts";
import { type GivenUp, Supervisor } from "../../shared/processes/supervisor.ts";
import { TailtuneProcess } from "../../shared/processes/tailtune-process.ts";
import { GPU_WORKER_STOP_MS, WORKER_RETRY_FIRST_MS, WORKER_RETRY_LONGEST_MS } from "../deadlines.ts";
import type { NvidiaGpu } from "../engine/nvidia-gpus.ts";

/** How many times in a row a worker may end before it has joined the cluster. */
const MAX_FAILED_STARTS = 3;

export interface GpuWorkersOptions {
	readonly gpus: readonly NvidiaGpu[];
	/** Arguments of `tailtune worker`, the same for each GPU. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Aborts to end all workers. */
	readonly end: AbortSignal;
	/** Called with each line of a worker's output and for each restart; the line begins with the GPU's number. */
	readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/**
 * Runs one worker process per GPU, which can use only that GPU, until `end` aborts; then waits for all of them. A
 * process that ends by itself is started again, after a pause that doubles each time.
 * @throws TailtuneError "engine" if a worker ends several times before it has joined, "usage" if its flags are wrong;
 * the other workers are ended first
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
	const print: GpuWorkersOptions["onLine"] = (line, stream) => onLine(`GPU ${gpu.index}: ${line}`, stream);
	const ownEnv = { ...env, CUDA_VISIBLE_DEVICES: gpu.uuid };
	return new Supervisor({
		start: () =>
			new TailtuneProcess({ args: ["worker", ...args], env: ownEnv, stopMs: GPU_WORKER_STOP_MS, onLine: print }),
		policy: {
			maxFailedStarts: MAX_FAILED_STARTS,
			// A restart would use the same wrong flags.
			hopelessCodes: [EXIT_CODES.usage.code],
			firstPauseMs: WORKER_RETRY_FIRST_MS,
			longestPauseMs: WORKER_RETRY_LONGEST_MS,
			stableMs: WORKER_RETRY_LONGEST_MS,
		},
		onRestart: ({ how }, pauseMs) =>
			print(`its worker ended with ${how}; starting another in ${pauseMs / 1000} s`, "stderr"),
	});
}

function failWith({ index }: NvidiaGpu, reason: GivenUp | undefined): void {
	if (reason === undefined) return;
	const { how, code } = reason.last;
	if (code === EXIT_CODES.usage.code) throw new TailtuneError("usage", `GPU ${index}: its worker ended with ${how}`);
	const what = `its worker ended ${reason.ends} times before it had joined, the last time with ${how}`;
	throw new TailtuneError("engine", `GPU ${index}: ${what}`);
}
