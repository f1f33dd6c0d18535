import test from "ava";
import fc from "fast-check";
import { stepOuter } from "../../../coordinator/training/outer-step.ts";

const float = fc.float({ min: -4, max: 4, noNaN: true });
const plain = { outerLr: 1, outerMomentum: 0 };

/**
 * Computes the formulas of torch.optim.SGD's documentation with nesterov=True for one parameter in double precision.
 */
function documentedSteps(start: number, changes: readonly number[], lr: number, momentum: number): number {
	let [p, velocity] = [start, 0];
	for (const change of changes) {
		velocity = momentum * velocity + change;
		p -= lr * (change + momentum * velocity);
	}
	return p;
}

test("the outer step is SGD with Nesterov's momentum", (t) => {
	const unit = fc.float({ min: 0, max: Math.fround(0.95), noNaN: true });
	const property = fc.property(float, fc.array(float, { maxLength: 5 }), unit, unit, (start, changes, lr, momentum) => {
		const parameters = Float32Array.of(start);
		const velocity = new Float32Array(1);
		for (const change of changes) {
			stepOuter(parameters, Float32Array.of(change), velocity, { outerLr: lr, outerMomentum: momentum });
		}
		return Math.abs((parameters[0] as number) - documentedSteps(start, changes, lr, momentum)) < 1e-4;
	});
	t.notThrows(() => fc.assert(property));
});

test("without momentum and with rate 1 the change is subtracted exactly, and no velocity is kept", (t) => {
	const velocity = new Float32Array(3);
	const parameters = Float32Array.of(1.1, -2.2, 3.3, 4.4);
	stepOuter(parameters, Float32Array.of(0.1, 0.2, -0.3), velocity, plain);
	const expected = [Math.fround(1.1) - Math.fround(0.1), Math.fround(-2.2) - Math.fround(0.2)].map(Math.fround);
	t.deepEqual([...parameters.subarray(0, 2)], expected);
	t.is(parameters[3], Math.fround(4.4));
	t.deepEqual(velocity, new Float32Array(3));
});
