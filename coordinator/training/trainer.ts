import { TailtuneError } from "../../shared/errors.ts";
import { adamWScalars, stepAdamW } from "../../shared/vectors/adamw.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import { addWeighted } from "../../shared/vectors/weighted-sum.ts";
import { type EpochStep, planEpoch } from "../plan/plan-epoch.ts";
import type { PlannedText } from "../plan/planned-part.ts";
import type { AuditLine } from "../run-folder/audit.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { TrainingState } from "./checkpoint.ts";
import { assertFiniteLoss } from "./finite-loss.ts";
import type { RunContext } from "./run-context.ts";
import { toWorkItem } from "./work-items.ts";

/** Plans the steps of an epoch of a run. @param epoch from 0 */
export function planRunEpoch({ config, texts }: Pick<RunContext, "config" | "texts">, epoch: number): EpochStep[] {
	const { batch, accumulate, seed, pad } = config;
	const examples = texts.train.map((id) => texts.planned[id] as PlannedText);
	return planEpoch({ examples, batch, accumulate, seed, epoch, grouping: pad === "bucket" ? "length" : "none" });
}

/** Takes the optimizer steps of a run, each on the sum of its parts' gradients in the order of the plan. */
export class Trainer {
	/** Milliseconds of each finished step. */
	readonly stepMs: number[] = [];
	/** Audit lines of the finished steps. */
	readonly audit: AuditTrail;
	readonly #run: RunContext;
	readonly #state: TrainingState;
	readonly #threads: number;

	constructor(run: RunContext, state: TrainingState) {
		this.#run = run;
		this.#state = state;
		this.#threads = run.config.threads ?? countPhysicalCores();
		this.audit = new AuditTrail(run.cluster.dispatcher);
		run.cluster.tensors.lendGradientBuffers(run.cluster.spec.runId, state.gradients.received);
	}

	/** Plans the steps of an epoch; always the same for the same epoch. */
	planEpoch(epoch: number): EpochStep[] {
		return planRunEpoch(this.#run, epoch);
	}

	/**
	 * Takes one optimizer step.
	 * @param beforeUpdate awaited before the state changes
	 * @throws TailtuneError "diverged" if the loss isn't finite, before the parameters change; or if the gradient isn't
	 *   finite, after the state has become unusable: no checkpoint may be written of it
	 */
	async step(step: EpochStep, beforeUpdate: () => Promise<void>): Promise<void> {
		const { tensors, spec } = this.#run.cluster;
		const { progress, parameters, firstMoment, secondMoment, gradients } = this.#state;
		const version = progress.step;
		const start = performance.now();
		await tensors.publishParameters(spec.runId, version, parameters);
		const { gradient, counted } = await this.#sumGradients(step, version);
		await tensors.dropParameters(spec.runId, version);
		await beforeUpdate();
		progress.step++;
		const scalars = adamWScalars(progress.step, this.#run.config);
		const isUsable = stepAdamW(parameters, gradient, { firstMoment, secondMoment }, scalars, this.#threads);
		// Lent at once, so that the next gradient is written to the same memory, which is still in the processor's cache.
		if (gradient !== gradients.sum) tensors.lendGradientBuffers(spec.runId, [gradient]);
		if (!isUsable) {
			const what = "the gradient's numbers aren't finite: training diverged; try a smaller --lr";
			throw new TailtuneError("diverged", `step ${progress.step}: ${what}`);
		}
		this.audit.add(progress.step, counted);
		this.stepMs.push(performance.now() - start);
	}

	/** Sums the gradients of a step's parts. A single one of weight 1 is returned as received. */
	async #sumGradients({ parts }: EpochStep, version: number) {
		const { cluster, texts } = this.#run;
		const { dispatcher, tensors, spec } = cluster;
		const { progress, gradients } = this.#state;
		const items = parts.map((part) => toWorkItem(this.#run, "WORK_KIND_GRADIENT", version, part));
		const counted: AuditLine["parts"] = [];
		let total = gradients.sum;
		for await (const { result, logits, tensor: gradient } of dispatcher.execute(items)) {
			const planned = parts[counted.length];
			if (!planned || !gradient)
				throw new TailtuneError("protocol", `item ${result.serial}: answered without a gradient`);
			const { part, shard, weight, examples } = planned;
			assertFiniteLoss(this.#run, version, logits, examples);
			if (items.length === 1 && weight === 1) total = gradient;
			else {
				addWeighted(total, gradient, weight, counted.length === 0);
				tensors.lendGradientBuffers(spec.runId, [gradient]);
			}
			progress.examplesSeen += examples.length;
			counted.push({ part, shard, examples: logits.length / texts.classes, worker: result.workerId });
		}
		return { gradient: total, counted };
	}
}
