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
 * Takes the steps of a run in rounds (`--local-steps`): each shard takes them on its own texts from the same parameters on,
 * and the mean of what that changed, in the order of the shards, is the change of the round. AdamW's moments travel with the
 * parameters and become the mean of the shards' moments: begun anew each round they made the loss several times higher.
 */
export class LocalRounds {
	/** Milliseconds of each step taken: an equal share of its round. */
	readonly stepMs: number[] = [];
	/** What they were made of. */
	readonly audit: AuditTrail;
	readonly #run: RunContext;
	readonly #state: TrainingState;

	constructor(run: RunContext, state: TrainingState) {
		this.#run = run;
		this.#state = state;
		this.audit = new AuditTrail(run.dispatcher);
	}

	/**
	 * One round of those steps.
	 * @param beforeUpdate awaited before the state changes
	 * @throws TailtuneError "diverged" where a loss is not finite; the parameters are then as before the round
	 */
	async take(steps: readonly EpochStep[], beforeUpdate: () => Promise<void>): Promise<void> {
		const { dispatcher, tensors, spec, config } = this.#run;
		const { progress, published, parameters, firstMoment, secondMoment, velocity, gradients } = this.#state;
		// Of what the shards hand in: the change, both moments.
		const mean = gradients.sum;
		const version = progress.step;
		const start = performance.now();
		await tensors.publishParameters(spec.runId, version, published);
		const round = planRound(steps);
		const workers = new Map<number, string>();
		let next = 0;
		const answers = dispatcher.execute(round.map((own) => this.#toItem(version, own)));
		for await (const { result, logits, tensor: handedIn } of answers) {
			const planned = round[next];
			if (!planned || !handedIn)
				throw new TailtuneError("protocol", `item ${result.serial}: answered without its changes`);
			const examples = examplesOf(planned);
			assertFiniteLoss(this.#run, version, logits, examples);
			addWeighted(mean, handedIn, 1 / round.length, next === 0);
			tensors.lendGradientBuffers(spec.runId, [handedIn]);
			progress.examplesSeen += examples.length;
			workers.set(planned.shard, result.workerId);
			next++;
		}
		await tensors.dropParameters(spec.runId, version);
		await beforeUpdate();
		for (const step of steps) this.#count(++progress.step, step, workers);
		const { trainedSize } = this.#run.layout;
		stepOuter(parameters, mean.subarray(0, trainedSize), velocity, config);
		firstMoment.set(mean.subarray(trainedSize, 2 * trainedSize));
		secondMoment.set(mean.subarray(2 * trainedSize));
		const roundMs = performance.now() - start;
		for (const _ of steps) this.stepMs.push(roundMs / steps.length);
	}

	/** A shard's item is all its parts of the round; its logits were those of all their texts. */
	#count(number: number, { parts }: EpochStep, workers: ReadonlyMap<number, string>): void {
		const counted = parts.flatMap(({ part, shard, examples }) => {
			const worker = workers.get(shard);
			return worker === undefined ? [] : { part, shard, examples: examples.length, worker };
		});
		this.audit.add(number, counted);
	}

	#toItem(version: number, { shard, steps }: RoundPart): NewItem {
		const { spec, texts, config } = this.#run;
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
		return { runId: spec.runId, kind, shard, parameterVersion: version, sequences, localSteps };
	}
}

function examplesOf({ steps }: RoundPart): number[] {
	return steps.flatMap(({ parts }) => parts.flatMap(({ examples }) => examples));
}
