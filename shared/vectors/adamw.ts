import { overVectors } from "./vector-kernels.ts";
import { wholePower } from "./whole-power.ts";

/** AdamW's state between steps; both moments start as zeros. */
export interface AdamWState {
	/** Running means of the gradient and of its square: one element per trained parameter. */
	readonly firstMoment: Float32Array;
	readonly secondMoment: Float32Array;
	/** Number of the step being taken, from 1. */
	readonly step: number;
}

export interface AdamWOptions {
	/** Learning rate. */
	readonly lr: number;
	/** Every trained parameter shrinks by lr times this in each step. */
	readonly weightDecay: number;
	/** Threads that compute; the result does not depend on it. Default: 1. */
	readonly threads?: number | undefined;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * One step of AdamW, in place, with the semantics of torch.optim.AdamW: decay first and apart from the gradient
 * (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2), epsilon added after the bias
 * correction of the root. Each operation is rounded to float32 separately, none is fused, so every machine computes the
 * same bits. First moments below 1e-30 and second moments below 2^-126 become zeros; next to epsilon they have no
 * effect. Fastest if all four vectors come from one call of `allocateVectors`.
 * @param parameters the trained ones first; elements after the gradient's length are left alone
 * @param gradient one element per trained parameter
 * @returns whether the gradient and its square were finite; if not, all three vectors are unusable
 */
export function stepAdamW(
	parameters: Float32Array,
	gradient: Float32Array,
	{ firstMoment, secondMoment, step }: AdamWState,
	{ lr, weightDecay, threads }: AdamWOptions,
): boolean {
	// Subtracted in one sum with the update: 1 - decay would lose most digits of a small decay in float32.
	const decay = lr * weightDecay;
	// Multiplying numerator and denominator by the second moment's correction avoids a division in the loop.
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
