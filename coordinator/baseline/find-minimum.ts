import { setImmediate as nextTurn } from "node:timers/promises";

/** Computes a function and writes its gradient. */
export type Objective = (at: Float64Array, gradient: Float64Array) => number;

/** When a minimization ends. */
export interface Limits {
	/** Largest absolute value of the gradient at which it ends. */
	readonly tolerance: number;
	/** Most evaluations of the function. */
	readonly evaluations: number;
	/** Called after each evaluation; may throw to end the minimization. */
	readonly onTurn: () => void;
}

interface Step {
	readonly moved: Float64Array;
	readonly gained: Float64Array;
	/** 1 / (moved · gained) */
	readonly scale: number;
}

/** Steps that are remembered for the curvature. */
const MEMORY = 6;
const SUFFICIENT_DECREASE = 1e-4;
const MOST_HALVINGS = 30;

/**
 * Minimizes a smooth convex function by L-BFGS with backtracking, from 0. Nocedal and Wright (2006), "Numerical
 * Optimization", algorithm 7.5. Other work of the process gets its turn after each evaluation.
 * @param curvature about the second derivative by each variable, greater than 0; with it, variables of very different
 *   curvature need far fewer evaluations
 */
export async function findMinimum(
	objective: Objective,
	curvature: Float64Array,
	limits: Limits,
): Promise<Float64Array> {
	const size = curvature.length;
	let at = new Float64Array(size);
	let gradient = new Float64Array(size);
	let value = objective(at, gradient);
	const steps: Step[] = [];
	let left = limits.evaluations - 1;
	while (left > 0 && largest(gradient) > limits.tolerance) {
		const direction = descentDirection(gradient, steps, curvature);
		const slope = dot(direction, gradient);
		let length = 1;
		let isLower = false;
		for (let halvings = 0; halvings < MOST_HALVINGS && left > 0 && !isLower; halvings++, length /= 2) {
			await nextTurn();
			limits.onTurn();
			const next = at.slice();
			add(next, length, direction);
			const nextGradient = new Float64Array(size);
			const nextValue = objective(next, nextGradient);
			left--;
			isLower = nextValue <= value + SUFFICIENT_DECREASE * length * slope;
			if (!isLower) continue;
			remember(steps, difference(next, at), difference(nextGradient, gradient));
			[at, gradient, value] = [next, nextGradient, nextValue];
		}
		if (!isLower) break;
	}
	return at;
}

function remember(steps: Step[], moved: Float64Array, gained: Float64Array): void {
	const curvature = dot(moved, gained);
	if (curvature <= 0) return;
	steps.push({ moved, gained, scale: 1 / curvature });
	if (steps.length > MEMORY) steps.shift();
}

function descentDirection(gradient: Float64Array, steps: readonly Step[], curvature: Float64Array): Float64Array {
	const direction = new Float64Array(gradient.length);
	add(direction, -1, gradient);
	const weights = steps.map(() => 0);
	for (let i = steps.length - 1; i >= 0; i--) {
		const { moved, gained, scale } = steps[i] as Step;
		weights[i] = scale * dot(moved, direction);
		add(direction, -(weights[i] ?? 0), gained);
	}
	const last = steps.at(-1);
	const factor = last ? 1 / (last.scale * squaresOver(last.gained, curvature)) : 1;
	for (let i = 0; i < direction.length; i++) direction[i] = (factor * (direction[i] ?? 0)) / (curvature[i] ?? 1);
	for (const [i, { moved, gained, scale }] of steps.entries()) {
		add(direction, (weights[i] ?? 0) - scale * dot(gained, direction), moved);
	}
	return direction;
}

function squaresOver(values: Float64Array, divisors: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < values.length; i++) sum += (values[i] ?? 0) ** 2 / (divisors[i] ?? 1);
	return sum;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
	const left = a.slice();
	add(left, -1, b);
	return left;
}

function dot(a: Float64Array, b: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
	return sum;
}

function add(to: Float64Array, factor: number, values: Float64Array): void {
	for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + factor * (values[i] ?? 0);
}

function largest(values: Float64Array): number {
	let most = 0;
	for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] ?? 0));
	return most;
}
