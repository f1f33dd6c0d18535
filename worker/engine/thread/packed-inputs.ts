import type { TailInput } from "../engine.ts";

/** The inputs of a tail with all hidden states in one array, which can be moved to another thread. */
export interface PackedInputs {
	/** The states of all inputs, one after the other. */
	readonly hidden: Float32Array;
	readonly inputs: readonly (Omit<TailInput, "hidden"> & { readonly hiddenLength: number })[];
}

/** Packs inputs. Their hidden states are copied, since the feature store keeps them. */
export function packInputs(inputs: readonly TailInput[]): PackedInputs {
	const hidden = new Float32Array(inputs.reduce((sum, input) => sum + input.hidden.length, 0));
	let from = 0;
	const packed = inputs.map((input) => {
		hidden.set(input.hidden, from);
		from += input.hidden.length;
		const { tokens, poolFrom, poolCount, targets } = input;
		return { tokens, poolFrom, poolCount, targets, hiddenLength: input.hidden.length };
	});
	return { hidden, inputs: packed };
}

/** Unpacks inputs. Their hidden states are views of the packed array. */
export function unpackInputs({ hidden, inputs }: PackedInputs): TailInput[] {
	let from = 0;
	return inputs.map(({ hiddenLength, ...input }) => {
		const to = from + hiddenLength;
		const own = hidden.subarray(from, to);
		from = to;
		return { ...input, hidden: own };
	});
}
