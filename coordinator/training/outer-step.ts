import { addWeighted } from "../../shared/vectors/weighted-sum.ts";

export interface OuterOptions {
	/** Learning rate of the outer step; 1 without momentum is plain averaging. */
	readonly outerLr: number;
	/** Coefficient of Nesterov's momentum; 0: none. */
	readonly outerMomentum: number;
}

/**
 * Takes the outer step with the mean change of local steps, in place: SGD with Nesterov's momentum, with the
 * semantics of torch.optim.SGD, as in DiLoCo (Douillard et al., arXiv 2311.08105).
 * @param parameters trained ones first; only as many as `change` has are updated
 * @param change the mean decrease of the parameters; overwritten
 * @param velocity zeros before the first step; not changed without momentum
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
