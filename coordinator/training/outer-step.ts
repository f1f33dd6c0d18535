import { addWeighted } from "../../shared/vectors/weighted-sum.ts";

export interface OuterOptions {
	/** Share of the mean change that is taken over; 1 with no momentum is the plain average. */
	readonly outerLr: number;
	/** Of Nesterov's momentum; 0: none. */
	readonly outerMomentum: number;
}

/**
 * A step along what local steps took off the parameters on average, in place: SGD with Nesterov's momentum, with the
 * semantics of torch.optim.SGD. As outer optimizer of DiLoCo (Douillard et al., arXiv 2311.08105).
 * @param parameters trained ones first; what follows the change's length stays as it is
 * @param change overwritten
 * @param velocity zeros before the first step; stays so without momentum
 */
export function stepOuter(
	parameters: Float32Array,
	change: Float32Array,
	velocity: Float32Array,
	{ outerLr, outerMomentum }: OuterOptions,
): void {
	const trained = parameters.subarray(0, change.length);
	addWeighted(trained, change, -outerLr, false);
	if (outerMomentum === 0) return;
	addWeighted(change, velocity, outerMomentum, false);
	velocity.set(change);
	addWeighted(trained, velocity, -outerLr * outerMomentum, false);
}
