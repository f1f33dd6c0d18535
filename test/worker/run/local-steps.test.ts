import test from "ava";
import type { Sequence, WorkItem } from "../../../shared/messages.ts";
import { adamWScalars, stepAdamW } from "../../../shared/vectors/adamw.ts";
import { addWeighted } from "../../../shared/vectors/weighted-sum.ts";
import type { Tail } from "../../../worker/engine/engine.ts";
import { LocalStepper, type LocalWork } from "../../../worker/run/local-steps.ts";
import { info, someSequence } from "./fake-engines.ts";

const layout = { size: 6, trainedSize: 5 };
const options = { lr: 0.01, weightDecay: 0.1 };
const FIRST_STEP = 7;
const parameters = [1, -2, 3, 0.5, -0.25, 7];
const moments = [0.1, 0.2, -0.3, 0.4, 0.5, 0.01, 0.02, 0.03, 0.04, 0.05];
const start = Float32Array.from([...parameters, ...moments]);

/** A gradient that depends on the parameters and on each token. */
function gradientAt(sequences: readonly Sequence[], at: Float32Array): Float32Array {
	const slope = (i: number) => sequences.reduce((sum, { tokens: [token = 0] }) => sum + token * (i - 2), 0);
	return Float32Array.from(at.subarray(0, layout.trainedSize), (parameter, i) => parameter + slope(i));
}

/** Steps with these weights of their parts; each part has two sequences. */
function work(weights: number[][]): LocalWork {
	const steps = weights.map((step) => ({ parts: step.map((weight) => ({ sequences: 2, weight })) }));
	const sequences = weights.flat().flatMap((_, i) => [someSequence([2 * i]), someSequence([2 * i + 1])]);
	let loaded: Float32Array = start;
	const load = async (given: Float32Array) => {
		loaded = given;
	};
	const tail = { info, load } as Partial<Tail> as Tail;
	const computeGradient = async (of: readonly Sequence[], to: Float32Array) => to.set(gradientAt(of, loaded));
	const item: Pick<WorkItem, "parameterVersion" | "sequences" | "localSteps"> = {
		parameterVersion: FIRST_STEP,
		sequences,
		localSteps: { steps, ...options },
	};
	return { item, start, tail, computeGradient, result: new Float32Array(3 * layout.trainedSize) };
}

/** The expected result: the same steps, taken one by one as without local steps. */
function stepByStep(weights: number[][]): Float32Array {
	const at = Float32Array.from(parameters);
	const firstMoment = Float32Array.from(moments.slice(0, layout.trainedSize));
	const secondMoment = Float32Array.from(moments.slice(layout.trainedSize));
	let token = 0;
	for (const [index, step] of weights.entries()) {
		const sum = new Float32Array(layout.trainedSize);
		for (const [part, weight] of step.entries()) {
			const sequences = [someSequence([token]), someSequence([token + 1])];
			addWeighted(sum, gradientAt(sequences, at), weight, part === 0);
			token += 2;
		}
		stepAdamW(at, sum, { firstMoment, secondMoment }, adamWScalars(FIRST_STEP + index + 1, options));
	}
	const change = parameters.slice(0, layout.trainedSize).map((number, i) => number - (at[i] as number));
	return Float32Array.from([...change, ...firstMoment, ...secondMoment]);
}

for (const weights of [[[1]], [[1], [1], [1]], [[0.25, 0.75], [0.5, 0.5], [1]]]) {
	test(`${weights.length} steps on parts of weight ${weights.join(" and ")} are those of AdamW`, async (t) => {
		const local = work(weights);
		await new LocalStepper(layout).take(local);
		t.deepEqual(local.result, stepByStep(weights));
		t.true(local.result.every((number) => number !== 0));
	});
}

test("the steps of an item don't depend on earlier items, and don't change their start", async (t) => {
	const stepper = new LocalStepper(layout);
	const before = start.slice();
	const [first, again, other] = [work([[1], [1]]), work([[1], [1]]), work([[0.5, 0.5]])];
	for (const each of [first, other, again]) await stepper.take(each);
	t.deepEqual(again.result, first.result);
	t.notDeepEqual(other.result, first.result);
	t.deepEqual(start, before);
});
