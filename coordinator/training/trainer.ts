import { TailtuneError } from "../../shared/errors.ts";
import { wholeArray } from "../../shared/exchange/take-array.ts";
import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import type { NewItem } from "../../shared/messages.ts";
import type { TextsGradient } from "../../shared/updates/combine.ts";
import { rowsOfTexts } from "../../shared/updates/embedding-rows.ts";
import { formOfPart } from "../../shared/updates/gradient-form.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";
import { type AdamWScalars, adamWScalars } from "../../shared/vectors/adamw.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import { countSteps, type EpochStep, planEpoch } from "../plan/plan-epoch.ts";
import type { PlannedText } from "../plan/planned-part.ts";
import type { AuditLine } from "../run-folder/audit.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { TrainingState } from "./checkpoint.ts";
import { finiteLoss } from "./finite-loss.ts";
import { clipScale } from "./gradient-norm.ts";
import { learningRate } from "./learning-rate.ts";
import type { RunContext } from "./run-context.ts";
import { toWorkItem } from "./work-items.ts";

/** Plans the steps of an epoch of a run. @param epoch from 0 */
export function planRunEpoch(
	{ config, texts, tail }: Pick<RunContext, "config" | "texts" | "tail">,
	epoch: number,
): EpochStep[] {
	const { batch, accumulate, seed, pad } = config;
	const examples = texts.learned.map((id) => texts.planned[id] as PlannedText);
	const grouping = pad === "bucket" ? "length" : "none";
	// With several labels per text, the mean loss is over texts and labels, without their weights.
	const weights = tail.loss?.multiLabel ? [] : (tail.loss?.classWeights ?? []);
	const weightOf = (id: number) => weights[texts.labelOf(id)] ?? 1;
	return planEpoch({ examples, batch, accumulate, seed, epoch, grouping, weightOf });
}

/** Returns the number of steps of each epoch of a run. */
export function countRunSteps({ config, texts }: Pick<RunContext, "config" | "texts">): number {
	return countSteps(texts.learned.length, config);
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
	readonly #beforeUpdate: () => Promise<void>;
	/** The update of the last step, until it is applied. */
	#pending: Update | undefined;

	/** @param beforeUpdate awaited before the state changes */
	constructor(run: RunContext, state: TrainingState, beforeUpdate: () => Promise<void>) {
		this.#beforeUpdate = beforeUpdate;
		this.#run = run;
		this.#state = state;
		this.#threads = run.cluster.threads ?? run.config.threads ?? countPhysicalCores();
		this.audit = new AuditTrail(run.cluster.dispatcher);
		run.cluster.tensors.lendGradientBuffers(run.cluster.spec.runId, state.updatable.received);
	}

	/** Plans the steps of an epoch; always the same for the same epoch. */
	planEpoch(epoch: number): EpochStep[] {
		return planRunEpoch(this.#run, epoch);
	}

	/**
	 * Takes one optimizer step. If workers have copies of the state, they get the update and the next items first; the
	 * coordinator applies the update while they do: see `settle`.
	 * @returns the mean loss of the step's texts, before the update
	 * @throws TailtuneError "diverged" if the loss isn't finite, or as `settle`
	 */
	async step(step: EpochStep): Promise<number> {
		const { tensors, spec, dispatcher } = this.#run.cluster;
		const { progress, updatable } = this.#state;
		const version = progress.step;
		const start = performance.now();
		const items = step.parts.map((part) => toWorkItem(this.#run, "WORK_KIND_GRADIENT", version, part));
		const answers = dispatcher.execute(items);
		if (this.#pending) {
			// The items leave before this process is busy with the same update as the workers.
			await answers.published;
			await this.settle();
		}
		await tensors.publishState(spec.runId, version, updatable);
		const { sum, isAnswer, counted, loss } = await this.#combineGradients(step, items, answers);
		await tensors.dropState(spec.runId, version);
		progress.step++;
		this.#pending = { version: progress.step, ...sum, scalars: this.#scalars(progress.step, sum) };
		await tensors.publishUpdate(spec.runId, this.#pending, isAnswer);
		if (!tensors.hasReplicas) await this.settle();
		this.audit.add(progress.step, counted);
		this.stepMs.push(performance.now() - start);
		return loss;
	}

	/**
	 * Applies the update of the last step, unless that was done. Must be called before the state is read.
	 * @throws TailtuneError "diverged" if the gradient isn't finite; the state has then become unusable: no checkpoint
	 *   may be written of it
	 */
	async settle(): Promise<void> {
		const update = this.#pending;
		if (!update) return;
		await this.#beforeUpdate();
		const { updatable } = this.#state;
		const isUsable = updatable.apply(update, this.#threads);
		this.#pending = undefined;
		// Lent at once, so that the next gradient is written to the same memory, which is still in the processor's cache.
		const gradient = wholeArray(update.gradient);
		if (gradient.buffer !== updatable.update.buffer || updatable.received.includes(gradient))
			this.#run.cluster.tensors.lendGradientBuffers(this.#run.cluster.spec.runId, [gradient]);
		if (isUsable) return;
		throw divergedGradient(update.version);
	}

	/** Returns the learning rate of a step. @param step from 1 */
	learningRate(step: number): number {
		const { config } = this.#run;
		return learningRate(step, config.epochs * countRunSteps(this.#run), config);
	}

	#scalars(step: number, gradient: TextsGradient): AdamWScalars {
		const { config } = this.#run;
		const lr = this.learningRate(step);
		const gradientScale = clipScale(config.clip, this.#state.updatable.form, gradient);
		// The norm of numbers that aren't finite: workers would refuse the update.
		if (!(gradientScale > 0)) throw divergedGradient(step);
		return adamWScalars(step, { ...config, lr, gradientScale });
	}

	/** Combines the gradients of a step's parts. A single one of weight 1 is returned as received. */
	async #combineGradients({ parts }: EpochStep, items: readonly NewItem[], answers: AsyncIterable<Answer>) {
		const { cluster, texts: runTexts } = this.#run;
		const { tensors, spec } = cluster;
		const { progress, updatable } = this.#state;
		const texts = parts.reduce((sum, { examples }) => sum + examples.length, 0);
		const { form } = updatable;
		const rows = rowsOfTexts(
			form,
			items.flatMap(({ sequences }) => sequences),
		);
		const combined = updatable.combine(texts, this.#threads, rows);
		const counted: AuditLine["parts"] = [];
		let { gradient } = combined;
		let loss = 0;
		for await (const { result, logits, tensor } of answers) {
			const planned = parts[counted.length];
			if (!planned || !tensor)
				throw new TailtuneError("protocol", `item ${result.serial}: answered without a gradient`);
			const { part, shard, weight, examples } = planned;
			loss += (examples.length / texts) * finiteLoss(this.#run, progress.step, logits, examples);
			const ownForm = formOfPart(form, examples.length);
			if (parts.length === 1 && weight === 1 && ownForm === form) gradient = tensor;
			else {
				const own = { texts: examples.length, rows: rowsOfTexts(form, items[counted.length]?.sequences ?? []) };
				combined.add({ gradient: tensor, ...own }, weight, ownForm);
				tensors.lendGradientBuffers(spec.runId, [tensor]);
			}
			progress.examplesSeen += runTexts.countTexts(examples);
			counted.push({ part, shard, examples: logits.length / runTexts.classes, worker: result.workerId });
		}
		return { sum: { gradient, texts, rows }, isAnswer: gradient !== combined.gradient, counted, loss };
	}
}

function divergedGradient(step: number): TailtuneError {
	const what = "the gradient's numbers aren't finite: training diverged; try a smaller --lr";
	return new TailtuneError("diverged", `step ${step}: ${what}`);
}
