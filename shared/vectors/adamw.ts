import { overVectors } from "./vector-kernels.ts";
import { wholePower } from "./whole-power.ts";

/** AdamW's state between steps; both moments start as zeros. */
export interface AdamWState {
	/** Running means of the gradient and of its square: one element per trained parameter. */
	readonly firstMoment: Float32Array;
	readonly secondMoment: Float32Array;
}

export interface AdamWOptions {
	/** Learning rate. */
	readonly lr: number;
	/** Parameters that decay shrink by lr times this in each step. */
	readonly weightDecay: number;
	/** all: every trained parameter decays; matrices: biases and norms don't. Default: all. */
	readonly decay?: "all" | "matrices";
	/** The gradient is multiplied by this before all else. Default: 1. */
	readonly gradientScale?: number;
}

/** Factors of one step for parameters with the same decay, each a float32 number. */
export interface AdamWFactors {
	/** Every parameter shrinks by this times itself. */
	readonly decay: number;
	/** Multiplies the first moment: the learning rate with both bias corrections. */
	readonly stepSize: number;
	/** Is added to the root of the second moment. */
	readonly epsilon: number;
	/** Multiplies the gradient. */
	readonly gradientScale: number;
}

/** Factors of one step for all trained parameters; `decay` is that of matrices. */
export interface AdamWScalars extends AdamWFactors {
	/** The decay of parameters that aren't matrices: biases and norms. */
	readonly vectorDecay: number;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * The factors of a step. One process computes them for all: Math.sqrt and powers of another engine may be rounded in
 * another way.
 * @param step number of the step, from 1
 */
export function adamWScalars(step: number, options: AdamWOptions): AdamWScalars {
	const { lr, weightDecay, decay = "all", gradientScale = 1 } = options;
	// Subtracted in one sum with the update: 1 - decay would lose most digits of a small decay in float32.
	const shrinking = Math.fround(lr * weightDecay);
	// Multiplying numerator and denominator by the second moment's correction avoids a division in the loop.
	const correction = Math.sqrt(1 - wholePower(BETA2, step));
	return {
		decay: shrinking,
		vectorDecay: decay === "all" ? shrinking : 0,
		gradientScale: Math.fround(gradientScale),
		stepSize: Math.fround((lr / (1 - wholePower(BETA1, step))) * correction),
		epsilon: Math.fround(EPSILON * correction),
	};
}

/**
 * One step of AdamW on the scaled gradient, in place, with the semantics of torch.optim.AdamW: decay first and apart
 * from the gradient (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2), epsilon added after
 * the bias correction of the root. Each operation is rounded to float32 separately, none is fused, so every machine
 * computes the same bits. First moments below 1e-30 and second moments below 2^-126 become zeros; next to epsilon they
 * have no effect. Fastest if all four vectors come from one call of `allocateVectors`.
 * @param parameters the trained ones first; elements after the gradient's length are left alone
 * @param gradient one element per trained parameter
 * @param threads that compute; the result does not depend on it. Default: 1
 * @returns whether the gradient and its square were finite; if not, all three vectors are unusable
 */
export function stepAdamW(
	parameters: Float32Array,
	gradient: Float32Array,
	{ firstMoment, secondMoment }: AdamWState,
	{ decay, stepSize, epsilon, gradientScale }: AdamWFactors,
	threads?: number,
): boolean {
	const found = overVectors(
		"stepAdamW",
		[parameters, firstMoment, secondMoment, gradient],
		[BETA1, 1 - BETA1, BETA2, 1 - BETA2, decay, stepSize, epsilon, gradientScale],
		{ length: gradient.length, written: 3, threads },
	);
	return found === 0;
}
