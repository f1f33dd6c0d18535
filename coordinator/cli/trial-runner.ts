import { freemem } from "node:os";
import { dirname } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import type { SweepState } from "../events/sweep-schema.ts";
import { parseCount } from "../parse-count.ts";
import type { RunTrial } from "../sweep/trial-job.ts";
import type { WorkerFlags, Workers } from "./choose-workers.ts";
import { runTracked, type TrackerFlags } from "./tracker-flags.ts";

/** Flags that decide how the trials of a sweep are trained. */
export interface TrialFlags extends WorkerFlags, TrackerFlags {
	readonly atOnce?: string;
}

/** Share of the free memory for trials; the rest is for the features of their texts. */
const MEMORY_SHARE = 0.75;

/** Backends that compute on the processor. With `auto`, only ONNX Runtime does so for certain. */
const ON_PROCESSOR: readonly unknown[] = ["auto", "wasm", "cpu"];

/** What trains the trials of a sweep. */
export interface TrialRunner {
	readonly runTrial: RunTrial;
	close(): Promise<void>;
}

/**
 * Checks `--at-once`.
 * @returns undefined if it isn't set
 * @throws TailtuneError "usage" if it isn't a number, or if the trials use the workers of a cluster
 */
export function readAtOnce({ atOnce, workers, nats }: TrialFlags): number | undefined {
	if (atOnce === undefined) return undefined;
	const count = parseCount("--at-once", atOnce);
	const other = workers !== undefined ? "--workers" : nats !== undefined ? "--nats" : undefined;
	if (other === undefined || count === 1) return count;
	throw new TailtuneError("usage", `--at-once: found ${count}, expected 1 with ${other}`);
}

/**
 * Chooses processes of their own for the trials, or, if only one can run at once, this process.
 * @param asked `--at-once`
 * @param workers of this process
 */
export async function createTrialRunner(
	options: TrialFlags,
	asked: number | undefined,
	state: SweepState,
	workers: Workers,
): Promise<TrialRunner> {
	const most = Math.min(asked ?? chooseMost(options, state), state.trials.length);
	if (most === 1) {
		const { trainTrial } = await import("../sweep/trial-job.ts");
		const runTrial: RunTrial = (job, hooks) =>
			runTracked(options, hooks.events, () => trainTrial(job, { ...workers, ...hooks }), parentOf(job.path));
		return { runTrial, close: async () => {} };
	}
	const { TrialProcesses } = await import("../sweep/trial-processes.ts");
	const { tensorboard, mlflow } = options;
	const flags = Object.entries({ tensorboard, mlflow }).flatMap(([name, value]) =>
		value ? [`--${name}=${value}`] : [],
	);
	const bytes = asked === undefined ? MEMORY_SHARE * freemem() : Number.POSITIVE_INFINITY;
	const processes = new TrialProcesses(["sweep", "--serve-trials", ...flags], {
		cores: countPhysicalCores(),
		bytes,
		most,
	});
	return { runTrial: processes.run, close: () => processes.close() };
}

/** Trains the trials that the parent process sends. */
export async function serveTrialsOf(options: TrackerFlags, workerSide: WorkerSide): Promise<void> {
	const [{ openEmbeddedCluster }, { trainTrial }, { serveTrials }] = await Promise.all([
		import("../cluster/embedded-cluster.ts"),
		import("../sweep/trial-job.ts"),
		import("../sweep/serve-trials.ts"),
	]);
	await serveTrials(
		(job, own) => runTracked(options, own.events, () => trainTrial(job, own), parentOf(job.path)),
		(run) => openEmbeddedCluster(workerSide, run),
	);
}

/** Trackers name a trial by the folder of its sweep too. */
function parentOf(trial: string): string {
	return dirname(dirname(trial));
}

/** As many as there are cores for; one if the trials compute on other machines or on a GPU. */
function chooseMost({ workers, nats }: TrialFlags, { settings, varied }: SweepState): number {
	const valuesOf = (key: string) => varied[key] ?? [settings[key]];
	const isTfjs = valuesOf("engine").includes("tfjs");
	const isOnProcessor = valuesOf("backend").every((one) => ON_PROCESSOR.includes(one) && !(isTfjs && one === "auto"));
	if (workers !== undefined || nats !== undefined || !isOnProcessor) return 1;
	const threads = Math.max(...valuesOf("threads").map((one) => Number(one ?? 1)));
	return Math.max(1, Math.floor(countPhysicalCores() / threads));
}
