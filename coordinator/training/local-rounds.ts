import { TailtuneError } from "../../shared/errors.ts";
import type { NewItem } from "../../shared/messages.ts";
import { addWeighted } from "../../shared/vectors/weighted-sum.ts";
import type { EpochStep } from "../plan/plan-epoch.ts";
import { planRound, type RoundPart } from "../plan/plan-round.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { TrainingState } from "./checkpoint.ts";
import { assertFiniteLoss } from "./finite-loss.ts";
import { stepOuter } from "./outer-step.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Takes the steps of a run in rounds (`--local-steps`). Each shard takes the steps of a round on its own texts,
 * starting from the same parameters; the change of the round is the mean of the shards' changes, summed in the order of
 * the shards. AdamW's moments are sent with the parameters and averaged: with new moments each round the loss was
 * several times higher.
 */
export class LocalRounds {
	/** Milliseconds of each finished step: an equal share of its round. */
	readonly stepMs: number[] = [];
	/** Audit lines of the finished steps. */
	readonly audit: AuditTrail;
	readonly #run: RunContext;
	readonly #state: TrainingState;

	constructor(run: RunContext, state: TrainingState) {
		this.#run = run;
		this.#state = state;
		this.audit = new AuditTrail(run.cluster.dispatcher);
	}

	/**
	 * Takes the given steps in one round.
	 * @param beforeUpdate awaited before the state changes
	 * @throws TailtuneError "diverged" if a loss isn't finite; the parameters are then unchanged
	 */
	async takeRound(steps: readonly EpochStep[], beforeUpdate: () => Promise<void>): Promise<void> {
		const { cluster, config, layout } = this.#run;
		const { tensors, spec } = cluster;
		const { progress, published, parameters, firstMoment, secondMoment, velocity } = this.#state;
		const version = progress.step;
		const start = performance.now();
		await tensors.publishParameters(spec.runId, version, published);
		const { mean, workers } = await this.#averageUpdates(steps, version);
		await tensors.dropParameters(spec.runId, version);
		await beforeUpdate();
		for (const step of steps) this.#count(++progress.step, step, workers);
		const { trainedSize } = layout;
		stepOuter(parameters, mean.subarray(0, trainedSize), velocity, config);
		firstMoment.set(mean.subarray(trainedSize, 2 * trainedSize));
		secondMoment.set(mean.subarray(2 * trainedSize));
		const roundMs = performance.now() - start;
		for (const _ of steps) this.stepMs.push(roundMs / steps.length);
	}

	/** Averages the shards' updates: the change of the parameters, followed by both moments. */
	async #averageUpdates(steps: readonly EpochStep[], version: number) {
		const { dispatcher, tensors, spec } = this.#run.cluster;
		const { progress, gradients } = this.#state;
		const mean = gradients.sum;
		const round = planRound(steps);
		/** Ids of the workers by shard. */
		const workers = new Map<number, string>();
		let next = 0;
		const answers = dispatcher.execute(round.map((part) => this.#toItem(version, part)));
		for await (const { result, logits, tensor: update } of answers) {
			const planned = round[next];
			if (!planned || !update)
				throw new TailtuneError("protocol", `item ${result.serial}: answered without its changes`);
			const examples = examplesOf(planned);
			assertFiniteLoss(this.#run, version, logits, examples);
			addWeighted(mean, update, 1 / round.length, next === 0);
			tensors.lendGradientBuffers(spec.runId, [update]);
			progress.examplesSeen += examples.length;
			workers.set(planned.shard, result.workerId);
			next++;
		}
		return { mean, workers };
	}

	/** Adds a step to the audit. One item of a shard has the shard's parts of all steps of the round. */
	#count(number: number, { parts }: EpochStep, workers: ReadonlyMap<number, string>): void {
		const counted = parts.flatMap(({ part, shard, examples }) => {
			const worker = workers.get(shard);
			return worker === undefined ? [] : { part, shard, examples: examples.length, worker };
		});
		this.audit.add(number, counted);
	}

	#toItem(version: number, { shard, steps }: RoundPart): NewItem {
		const { cluster, texts, config } = this.#run;
		const parts = steps.flatMap((step) => step.parts);
		const sequences = parts.flatMap(({ examples, paddedLength }) =>
			examples.map((example) => texts.sequence(example, paddedLength)),
		);
		const localSteps = {
			steps: steps.map((step) => ({
				parts: step.parts.map(({ examples, weight }) => ({ sequences: examples.length, weight })),
			})),
			lr: config.lr,
			weightDecay: config.weightDecay,
		};
		const kind = "WORK_KIND_LOCAL_STEPS" as const;
		return { runId: cluster.spec.runId, kind, shard, parameterVersion: version, sequences, localSteps };
	}
}

function examplesOf({ steps }: RoundPart): number[] {
	return steps.flatMap(({ parts }) => parts.flatMap(({ examples }) => examples));
}
