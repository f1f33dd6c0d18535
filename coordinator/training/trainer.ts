import { TailtuneError } from "../../shared/errors.ts";
import { adamWScalars } from "../../shared/vectors/adamw.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
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
		run.cluster.tensors.lendGradientBuffers(run.cluster.spec.runId, state.updatable.received);
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
		const { progress, updatable } = this.#state;
		const version = progress.step;
		const start = performance.now();
		await tensors.publishState(spec.runId, version, updatable);
		const { gradient, texts, counted } = await this.#combineGradients(step, version);
		await tensors.dropState(spec.runId, version);
		await beforeUpdate();
		progress.step++;
		const update = { version: progress.step, texts, gradient, scalars: adamWScalars(progress.step, this.#run.config) };
		await tensors.publishUpdate(spec.runId, update);
		const isUsable = updatable.apply(update, this.#threads);
		// Lent at once, so that the next gradient is written to the same memory, which is still in the processor's cache.
		if (gradient.buffer !== updatable.update.buffer || updatable.received.includes(gradient))
			tensors.lendGradientBuffers(spec.runId, [gradient]);
		if (!isUsable) {
			const what = "the gradient's numbers aren't finite: training diverged; try a smaller --lr";
			throw new TailtuneError("diverged", `step ${progress.step}: ${what}`);
		}
		this.audit.add(progress.step, counted);
		this.stepMs.push(performance.now() - start);
	}

	/** Combines the gradients of a step's parts. A single one of weight 1 is returned as received. */
	async #combineGradients({ parts }: EpochStep, version: number) {
		const { cluster, texts: runTexts } = this.#run;
		const { dispatcher, tensors, spec } = cluster;
		const { progress, updatable } = this.#state;
		const items = parts.map((part) => toWorkItem(this.#run, "WORK_KIND_GRADIENT", version, part));
		const texts = parts.reduce((sum, { examples }) => sum + examples.length, 0);
		const combined = updatable.combine(texts);
		const counted: AuditLine["parts"] = [];
		let { gradient } = combined;
		for await (const { result, logits, tensor } of dispatcher.execute(items)) {
			const planned = parts[counted.length];
			if (!planned || !tensor)
				throw new TailtuneError("protocol", `item ${result.serial}: answered without a gradient`);
			const { part, shard, weight, examples } = planned;
			assertFiniteLoss(this.#run, version, logits, examples);
			if (items.length === 1 && weight === 1) gradient = tensor;
			else {
				combined.add({ gradient: tensor, texts: examples.length }, weight);
				tensors.lendGradientBuffers(spec.runId, [tensor]);
			}
			progress.examplesSeen += examples.length;
			counted.push({ part, shard, examples: logits.length / runTexts.classes, worker: result.workerId });
		}
		return { gradient, texts, counted };
	}
}
