import { TailtuneError } from "../../shared/errors.ts";
import { itemKey, type WorkItem } from "../../shared/messages.ts";
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
		let part = 0;
		for await (const result of dispatcher.execute(round.map((own) => this.#toItem(version, own)))) {
			const examples = examplesOf(round[part]);
			assertFiniteLoss(this.#run, version, result.logits, examples);
			const handedIn = await tensors.takeGradient(spec.runId, itemKey(result));
			if (!handedIn) throw new TailtuneError("protocol", `${itemKey(result)}: answered without its changes`);
			addWeighted(mean, handedIn, 1 / round.length, part === 0);
			progress.examplesSeen += examples.length;
			workers.set(result.shard, result.workerId);
			part++;
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

	#toItem(version: number, { part, shard, steps }: RoundPart): WorkItem {
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
		const name = { runId: spec.runId, kind: "WORK_KIND_LOCAL_STEPS", step: version, part, shard } as const;
		return { ...name, parameterVersion: version, sequences, localSteps };
	}
}

function examplesOf(part: RoundPart | undefined): number[] {
	return part?.steps.flatMap(({ parts }) => parts.flatMap(({ examples }) => examples)) ?? [];
}
