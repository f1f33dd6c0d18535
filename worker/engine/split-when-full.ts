import { TailtuneError } from "../../shared/errors.ts";
import { factorViews, type GradientForm, gradientLength } from "../../shared/updates/gradient-form.ts";
import { addWeighted } from "../../shared/vectors/weighted-sum.ts";
import type { Tail, TailInput } from "./engine.ts";
import { DEVICE_IS_FULL } from "./error-texts.ts";

/**
 * Returns a tail that splits a batch in two halves if its device has too little memory, and reports this once. The
 * gradients of the halves are weighted by their numbers of texts and combined in the texts' order. Since sums in
 * another order round differently, the bits depend on where the batch was split.
 * @param report called with one line
 */
export function splitWhenFull(tail: Tail, report: (line: string) => void): Tail {
	let hasReported = false;
	const split = (inputs: readonly TailInput[], cause: unknown) => {
		if (!DEVICE_IS_FULL.test((cause as Error).message)) throw cause;
		if (inputs.length < 2) {
			const how = "expected a device with more memory, or a smaller --max-tokens";
			throw new TailtuneError("engine", `${tail.info.device}: not enough memory for a single text; ${how}`, { cause });
		}
		const middle = Math.ceil(inputs.length / 2);
		if (!hasReported)
			report(`${tail.info.device}: not enough memory for ${inputs.length} texts at once: split in halves`);
		hasReported = true;
		return [inputs.slice(0, middle), inputs.slice(middle)] as const;
	};
	const logits = async (inputs: readonly TailInput[]): Promise<Float32Array> => {
		try {
			return await tail.logits(inputs);
		} catch (error) {
			const [first, second] = split(inputs, error);
			return concatenate(await logits(first), await logits(second));
		}
	};
	const gradient = async (inputs: readonly TailInput[], form: GradientForm, sum: Float32Array) => {
		try {
			return await tail.gradient(inputs, form, sum);
		} catch (error) {
			const halves = split(inputs, error);
			const logits: Float32Array[] = [];
			for (const own of halves) {
				const half = new Float32Array(gradientLength(form, own.length));
				logits.push(await gradient(own, form, half));
				const firstText = own === halves[0] ? 0 : halves[0].length;
				addHalf(form, sum, { half, texts: own.length, firstText, allTexts: inputs.length });
			}
			return concatenate(...(logits as [Float32Array, Float32Array]));
		}
	};
	const { info } = tail;
	return { info, load: (parameters) => tail.load(parameters), logits, gradient, dispose: () => tail.dispose() };
}

interface Half {
	readonly half: Float32Array;
	readonly texts: number;
	readonly firstText: number;
	readonly allTexts: number;
}

/** Adds the gradient of some of the texts, weighted by their share; their factors get the places of these texts. */
function addHalf(form: GradientForm, sum: Float32Array, { half, texts, firstText, allTexts }: Half): void {
	const weight = texts / allTexts;
	addWeighted(sum.subarray(0, form.denseSize), half.subarray(0, form.denseSize), weight, firstText === 0);
	const targets = factorViews(form, sum, allTexts);
	for (const [i, { block, left, right }] of factorViews(form, half, texts).entries()) {
		const scaled = left.map((number) => number * weight);
		targets[i]?.left.set(scaled, firstText * block.heads * block.rows);
		targets[i]?.right.set(right, firstText * block.heads * block.columns);
	}
}

function concatenate(first: Float32Array, second: Float32Array): Float32Array {
	const both = new Float32Array(first.length + second.length);
	both.set(first);
	both.set(second, first.length);
	return both;
}
