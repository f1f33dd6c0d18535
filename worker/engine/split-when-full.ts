import { TailtuneError } from "../../shared/errors.ts";
import { addWeighted } from "../../shared/vectors/weighted-sum.ts";
import type { Tail, TailInput } from "./engine.ts";
import { DEVICE_IS_FULL } from "./error-texts.ts";

/**
 * A tail that computes in two halves what its device has no room for, and says so once. The halves' gradients are weighted by
 * their texts and summed in the texts' order; since sums in another order round differently, bits depend on where it was split.
 * @param tell gets one line
 */
export function splitWhenFull(tail: Tail, tell: (line: string) => void): Tail {
	let hasTold = false;
	const halves = (inputs: readonly TailInput[], cause: unknown) => {
		if (!DEVICE_IS_FULL.test((cause as Error).message)) throw cause;
		if (inputs.length < 2) {
			const how = "expected a device with more, or a smaller --max-tokens";
			throw new TailtuneError("engine", `${tail.info.device}: no memory for a single text; ${how}`, { cause });
		}
		const middle = Math.ceil(inputs.length / 2);
		if (!hasTold)
			tell(`${tail.info.device}: no memory for ${inputs.length} texts at once: they are computed in halves`);
		hasTold = true;
		return [inputs.slice(0, middle), inputs.slice(middle)] as const;
	};
	const logits = async (inputs: readonly TailInput[]): Promise<Float32Array> => {
		try {
			return await tail.logits(inputs);
		} catch (error) {
			const [first, second] = halves(inputs, error);
			return joined(await logits(first), await logits(second));
		}
	};
	const gradient = async (inputs: readonly TailInput[], into: Float32Array): Promise<Float32Array> => {
		try {
			return await tail.gradient(inputs, into);
		} catch (error) {
			const [first, second] = halves(inputs, error);
			const half = new Float32Array(into.length);
			const firstLogits = await gradient(first, half);
			addWeighted(into, half, first.length / inputs.length, true);
			const secondLogits = await gradient(second, half);
			addWeighted(into, half, second.length / inputs.length, false);
			return joined(firstLogits, secondLogits);
		}
	};
	const { info } = tail;
	return { info, load: (parameters) => tail.load(parameters), logits, gradient, dispose: () => tail.dispose() };
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
	const both = new Float32Array(first.length + second.length);
	both.set(first);
	both.set(second, first.length);
	return both;
}
