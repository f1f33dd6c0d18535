import { once } from "node:events";
import { TailtuneError } from "../../shared/errors.ts";
import { countFrozenBlocks } from "../../shared/model/tail-spec.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { endWithParent } from "../../shared/processes/tailtune-process.ts";
import { fromSentError, toSentError } from "../../shared/sent-error.ts";
import { featureCacheBytes, featureMemoryBytes } from "../../shared/settings/feature-memory.ts";
import type { ClusterRun, OpenCluster } from "../cluster/cluster.ts";
import { BAR_REDRAW_MS } from "../deadlines.ts";
import { RunEvents } from "../events/run-events.ts";
import { createMemoryCheck, estimateMemory } from "../training/estimate-memory.ts";
import { PausedRun } from "../training/interruption.ts";
import type { TrainOptions } from "../training/train-options.ts";
import type { TrialJob } from "./trial-job.ts";
import type { FromTrial, ToTrial } from "./trial-messages.ts";
import type { TrialNeeds, TrialShare } from "./trial-shares.ts";

/**
 * Trains the trials that the parent process sends, one after another, until SIGTERM or the end of the parent.
 * @param train trains one trial
 * @param openCluster opens a worker in this process
 */
export async function serveTrials(
	train: (job: TrialJob, options: TrainOptions) => Promise<void>,
	openCluster: OpenCluster,
): Promise<void> {
	const interrupt = createInterruptSignal();
	endWithParent();
	process.channel?.ref(); // while it waits for the next trial
	const checkMemory = createMemoryCheck(1);
	while (!interrupt.aborted) {
		const message = await receive("job", interrupt).catch(() => undefined);
		if (!message) break;
		// The report of a trial names the command of the sweep.
		process.argv.splice(2, process.argv.length, ...message.commandLine);
		const options = createOptions(interrupt, openCluster, checkMemory);
		const outcome = await train(message.job, options).then(() => ({}), describeFailure);
		send({ kind: "ended", ...outcome });
	}
	process.channel?.unref();
}

function describeFailure(error: unknown) {
	return error instanceof PausedRun ? { isPaused: true } : { error: toSentError(error) };
}

function send(message: FromTrial): void {
	process.send?.(message);
}

/** Waits for a message of the parent. @throws TailtuneError "interrupted" as soon as the signal aborts */
async function receive<K extends ToTrial["kind"]>(
	kind: K,
	signal: AbortSignal,
): Promise<Extract<ToTrial, { kind: K }>> {
	const [message] = await once(process, "message", { signal }).catch(() => {
		throw new TailtuneError("interrupted", "stopped before the trial began");
	});
	if (message.kind !== kind) throw new Error(`found the message "${message.kind}", expected "${kind}"`);
	return message;
}

function createOptions(
	interrupt: AbortSignal,
	openCluster: OpenCluster,
	checkMemory: ReturnType<typeof createMemoryCheck>,
): TrainOptions {
	const events = sendEvents();
	return {
		events,
		interrupt,
		onTexts: async (hash) => {
			send({ kind: "texts", hash });
			const { error } = await receive("texts", interrupt);
			if (error) throw fromSentError(error);
		},
		openCluster: async (run) => {
			send({ kind: "begin", needs: needsOf(run) });
			const { share } = await receive("begin", interrupt);
			checkMemory(run, events); // after those have ended that this one waited for
			return openCluster({ ...run, engine: engineOf(run, share) });
		},
	};
}

/** Sends the events of a run. The first numbers that a worker computes also say that its features are kept. */
function sendEvents(): RunEvents {
	const events = new RunEvents();
	let sentMs = 0;
	events.listen((event) => {
		if (event.event === "step" || event.event === "epoch") send({ kind: "prepared" });
		if (event.event === "progress") {
			if (performance.now() - sentMs < BAR_REDRAW_MS) return;
			sentMs = performance.now();
		}
		send({ kind: "event", event });
	});
	let hasStepped = false;
	events.listenForDetails((event) => {
		if (event.event !== "training-step" || hasStepped) return;
		hasStepped = true;
		send({ kind: "prepared" });
	});
	return events;
}

function needsOf({ tail, model, modelHash, trunkPrecision, engine }: ClusterRun): TrialNeeds {
	const isKept = countFrozenBlocks(tail, model.config.n_layer) > 0 && featureCacheBytes(engine.featureCache) > 0;
	const kind = [modelHash, tail.trainable, tail.causal, trunkPrecision].join();
	const bytes = estimateMemory(tail, model.config, trunkPrecision);
	return { bytes, threads: engine.threads, features: isKept ? kind : undefined };
}

function engineOf({ engine }: ClusterRun, { threads, trunkThreads, atOnce }: TrialShare): ClusterRun["engine"] {
	const featureMemory = engine.featureMemory ?? Math.floor(featureMemoryBytes(undefined) / atOnce);
	return { ...engine, threads, trunkThreads, featureMemory };
}
