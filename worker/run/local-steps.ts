import { TailtuneError } from "../../shared/errors.ts";
import type { Sequence, WorkItem } from "../../shared/messages.ts";
import type { ParameterLayout } from "../../shared/model/parameter-layout.ts";
import { adamWScalars, stepAdamW } from "../../shared/vectors/adamw.ts";
import { allocateVectors } from "../../shared/vectors/allocate-vectors.ts";
import { addWeighted } from "../../shared/vectors/weighted-sum.ts";
import type { Tail } from "../engine/engine.ts";

export interface LocalWork {
	readonly item: Pick<WorkItem, "parameterVersion" | "sequences" | "localSteps">;
	/** Parameters and both moments before the steps, one after the other; read only. */
	readonly start: Float32Array;
	readonly tail: Tail;
	/** Writes the gradient of the mean loss over the sequences to `gradient`. */
	readonly computeGradient: (sequences: readonly Sequence[], gradient: Float32Array) => Promise<void>;
	/** Receives the decrease of the trained parameters and, after it, both moments. */
	readonly result: Float32Array;
}

/** Takes the optimizer steps of items. It reuses its memory for the next item, but none of the numbers in it. */
export class LocalStepper {
	readonly #trainedSize: number;
	readonly #parameters: Float32Array;
	readonly #firstMoment: Float32Array;
	readonly #secondMoment: Float32Array;
	readonly #sum: Float32Array;

	constructor({ size, trainedSize }: Pick<ParameterLayout, "size" | "trainedSize">) {
		this.#trainedSize = trainedSize;
		const vectors = allocateVectors(size, trainedSize, trainedSize, trainedSize);
		[this.#parameters, this.#firstMoment, this.#secondMoment, this.#sum] = vectors;
	}

	/** Takes the steps of an item, which must have been checked. */
	async take({ item, start, tail, computeGradient, result }: LocalWork): Promise<void> {
		const { steps = [], lr = 0, weightDecay = 0 } = item.localSteps ?? {};
		const { length: size } = this.#parameters;
		const trainedSize = this.#trainedSize;
		this.#parameters.set(start.subarray(0, size));
		this.#firstMoment.set(start.subarray(size, size + trainedSize));
		this.#secondMoment.set(start.subarray(size + trainedSize));
		const gradient = result.subarray(0, trainedSize);
		let next = 0;
		for (const [index, { parts }] of steps.entries()) {
			await tail.load(this.#parameters);
			let total = this.#sum;
			for (const [part, { sequences, weight }] of parts.entries()) {
				await computeGradient(item.sequences.slice(next, next + sequences), gradient);
				next += sequences;
				if (parts.length === 1 && weight === 1) total = gradient;
				else addWeighted(total, gradient, weight, part === 0);
			}
			const step = item.parameterVersion + index + 1;
			const state = { firstMoment: this.#firstMoment, secondMoment: this.#secondMoment };
			const scalars = adamWScalars(step, { lr, weightDecay });
			const isWhole = stepAdamW(this.#parameters, total, state, scalars, tail.info.threads);
			if (!isWhole) {
				const problem = "the gradient's numbers aren't finite: training diverged; try a smaller --lr";
				throw new TailtuneError("diverged", `step ${step}: ${problem}`);
			}
		}
		gradient.set(start.subarray(0, trainedSize));
		addWeighted(gradient, this.#parameters.subarray(0, trainedSize), -1, false);
		result.set(this.#firstMoment, trainedSize);
		result.set(this.#secondMoment, 2 * trainedSize);
	}
}
