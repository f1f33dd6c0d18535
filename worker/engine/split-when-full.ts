import { TailtuneError } from "../../shared/errors.ts";
import { CombinedGradient, type TextsGradient } from "../../shared/updates/combine.ts";
import { rowsOfTexts } from "../../shared/updates/embedding-rows.ts";
import { type GradientForm, gradientLength } from "../../shared/updates/gradient-form.ts";
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
	const gradient = async (inputs: readonly TailInput[], form: GradientForm, target: Float32Array) => {
		try {
			return await tail.gradient(inputs, form, target);
		} catch (error) {
			const rows = rowsOfTexts(form, inputs);
			const combined = new CombinedGradient({ form, texts: inputs.length, rows, gradient: target });
			const logits: Float32Array[] = [];
			for (const half of split(inputs, error)) {
				const part = allocateGradient(form, half);
				logits.push(await gradient(half, form, part.gradient));
				combined.add(part, half.length / inputs.length);
			}
			return concatenate(...(logits as [Float32Array, Float32Array]));
		}
	};
	const { info } = tail;
	return { info, load: (parameters) => tail.load(parameters), logits, gradient, dispose: () => tail.dispose() };
}

function allocateGradient(form: GradientForm, inputs: readonly TailInput[]): TextsGradient {
	const rows = rowsOfTexts(form, inputs);
	const gradient = new Float32Array(gradientLength(form, inputs.length, rows.length));
	return { gradient, texts: inputs.length, rows };
}

function concatenate(first: Float32Array, second: Float32Array): Float32Array {
	const both = new Float32Array(first.length + second.length);
	both.set(first);
	both.set(second, first.length);
	return both;
}
