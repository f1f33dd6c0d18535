import { overVectors } from "./vector-kernels.ts";
import { wholePower } from "./whole-power.ts";

/** What AdamW remembers between steps; both moments begin as zeros. */
export interface AdamWState {
	/** Running mean of the gradient, and of its square: one element a trained parameter. */
	readonly firstMoment: Float32Array;
	readonly secondMoment: Float32Array;
	/** Number of the step being taken, from 1. */
	readonly step: number;
}

export interface AdamWOptions {
	/** Learning rate. */
	readonly lr: number;
	/** Share of lr by which every trained parameter shrinks a step. */
	readonly weightDecay: number;
	/** That compute; the bits don't depend on it. Default: this one. */
	readonly threads?: number | undefined;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * One step of AdamW, in place, with the semantics of torch.optim.AdamW: decay first and apart from the gradient (Loshchilov
 * and Hutter, "Decoupled Weight Decay Regularization", algorithm 2), epsilon added after the bias correction of the root.
 * Each operation is rounded to float32 on its own, none is fused: every machine gets the same bits. First moments below 1e-30
 * and second below 2^-126 become zeros; beside epsilon they count for nothing. Fastest where all four vectors come
 * from one `allocateVectors`.
 * @param parameters trained ones first; what follows the gradient's length stays as it is
 * @param gradient one element a trained parameter
 * @returns whether the gradient was finite, and small enough for its square; if not, all three vectors are spoilt
 */
export function stepAdamW(
	parameters: Float32Array,
	gradient: Float32Array,
	{ firstMoment, secondMoment, step }: AdamWState,
	{ lr, weightDecay, threads }: AdamWOptions,
): boolean {
	// Taken off in one sum with the update: 1 - decay would lose most digits of a small decay to float32.
	const decay = lr * weightDecay;
	// Multiplying numerator and denominator by the second moment's correction takes a division out of the loop.
	const correction = Math.sqrt(1 - wholePower(BETA2, step));
	const stepSize = (lr / (1 - wholePower(BETA1, step))) * correction;
	const epsilon = EPSILON * correction;
	const found = overVectors(
		"stepAdamW",
		[parameters, firstMoment, secondMoment, gradient],
		[BETA1, 1 - BETA1, BETA2, 1 - BETA2, decay, stepSize, epsilon],
		{ length: gradient.length, written: 3, threads },
	);
	return found === 0;
}
