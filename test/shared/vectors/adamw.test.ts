import test from "ava";
import fc from "fast-check";
import { adamWScalars, stepAdamW } from "../../../shared/vectors/adamw.ts";
import { allocateVectors } from "../../../shared/vectors/allocate-vectors.ts";

const FIRST_STEP = adamWScalars(1, { lr: 0.1, weightDecay: 0.1 });

const float = (limit: number) => fc.float({ min: -limit, max: limit, noNaN: true });

/** Computes the formulas of torch.optim.AdamW's documentation for one parameter in double precision. */
function documentedSteps(start: number, gradients: readonly number[], lr: number, weightDecay: number): number {
	let [p, m, v] = [start, 0, 0];
	for (const [i, g] of gradients.entries()) {
		p -= lr * weightDecay * p;
		m = 0.9 * m + 0.1 * g;
		v = 0.999 * v + 0.001 * g * g;
		p -= (lr * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (i + 1))) + 1e-8);
	}
	return p;
}

function steps(
	start: readonly number[],
	gradients: readonly number[][],
	lr: number,
	weightDecay: number,
): Float32Array {
	const parameters = Float32Array.from(start);
	const size = gradients[0]?.length ?? 0;
	const [firstMoment, secondMoment] = [new Float32Array(size), new Float32Array(size)];
	for (const [i, gradient] of gradients.entries()) {
		const scalars = adamWScalars(i + 1, { lr, weightDecay });
		stepAdamW(parameters, Float32Array.from(gradient), { firstMoment, secondMoment }, scalars);
	}
	return parameters;
}

test("steps agree with the documented formulas up to float32 rounding", (t) => {
	fc.assert(
		fc.property(
			float(2),
			// For gradients near zero the rounding of the stored moments determines the size of a step.
			fc.array(
				float(10).filter((g) => g === 0 || Math.abs(g) > 1e-3),
				{ minLength: 1, maxLength: 5 },
			),
			fc.constantFrom(1e-5, 1e-3, 0.1),
			fc.constantFrom(0, 0.1, 1),
			(start, gradients, lr, weightDecay) => {
				const [own = Number.NaN] = steps(
					[start],
					gradients.map((g) => [g]),
					lr,
					weightDecay,
				);
				const expected = documentedSteps(start, gradients, lr, weightDecay);
				return Math.abs(own - expected) <= 1e-6 * (Math.abs(start) + lr * gradients.length);
			},
		),
	);
	t.pass();
});

test("the first step changes every parameter by the learning rate in the opposite direction of its gradient", (t) => {
	t.deepEqual(
		[...steps([1, 1, 1], [[5, -0.001, 0]], 0.125, 0)].map((x) => x.toFixed(4)),
		["0.8750", "1.1250", "1.0000"],
	);
});

test("a parameter without gradient only decays", (t) => {
	t.deepEqual([...steps([2, -4], [[0, 0]], 0.5, 0.5)], [1.5, -3]);
});

test("without options every parameter decays and the gradient isn't scaled", (t) => {
	const { decay, vectorDecay, gradientScale } = FIRST_STEP;
	t.deepEqual([decay, vectorDecay, gradientScale], [fround(0.01), fround(0.01), 1]);
	const ofMatrices = adamWScalars(1, { lr: 0.1, weightDecay: 0.1, decay: "matrices" });
	t.deepEqual(ofMatrices, { ...FIRST_STEP, vectorDecay: 0 });
});

test("numbers after the trained parameters aren't changed", (t) => {
	const [trained = 1, frozen] = steps([1, 1], [[1]], 0.1, 0.1);
	t.true(trained < 1);
	t.is(frozen, 1);
});

/** A vector of pseudo-random numbers in [-1, 1). */
function noise(length: number, seed: number): Float32Array {
	let state = seed;
	return Float32Array.from({ length }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) | 0;
		return state / 2 ** 31;
	});
}

const { fround } = Math;

/** Computes the same formulas with each operation rounded to float32: the exact result required on every machine. */
function rounded(
	[p, m, v, g]: readonly [number, number, number, number],
	step: number,
	{ lr, weightDecay, gradientScale }: { lr: number; weightDecay: number; gradientScale: number },
) {
	const scaled = fround(fround(gradientScale) * g);
	const correction = Math.sqrt(1 - 0.999 ** step);
	const mean = fround(fround(fround(0.9) * m) + fround(fround(1 - 0.9) * scaled));
	const square = fround(fround(fround(0.999) * v) + fround(fround(fround(1 - 0.999) * scaled) * scaled));
	const up = fround(fround((lr / (1 - 0.9 ** step)) * correction) * mean);
	const down = fround(fround(Math.sqrt(square)) + fround(1e-8 * correction));
	return [fround(p - fround(fround(fround(lr * weightDecay) * p) + fround(up / down))), mean, square];
}

test("the bits don't depend on the number of parameters or on the memory that holds the vectors", (t) => {
	const lengths = fc.oneof(fc.nat(40), fc.integer({ min: 2040, max: 2060 }));
	const stepsAndScales = fc.constantFrom([1, 1], [2, 1], [500, 1], [3, 0.3]);
	fc.assert(
		fc.property(
			lengths,
			fc.nat(3),
			fc.integer(),
			stepsAndScales,
			(length, shift, seed, [step = 1, gradientScale = 1]) => {
				const options = { lr: 0.01, weightDecay: 0.1, gradientScale };
				const [p, m, g] = [noise(length, seed), noise(length, seed + 1), noise(length, seed + 2)];
				const v = noise(length, seed + 3).map(Math.abs);
				const expected = [...p.keys()].map((i) =>
					rounded([p[i] as number, m[i] as number, v[i] as number, g[i] as number], step, options),
				);
				const vectors = () => new Float32Array(length + shift);
				for (const [own, firstMoment, secondMoment] of [
					allocateVectors(length + shift, length + shift, length + shift),
					[vectors(), vectors(), vectors()] as const,
				].map((given) => given.map((vector) => vector.subarray(shift)) as [Float32Array, Float32Array, Float32Array])) {
					own.set(p);
					firstMoment.set(m);
					secondMoment.set(v);
					stepAdamW(own, g, { firstMoment, secondMoment }, adamWScalars(step, options));
					const found = [...own.keys()].map((i) => [own[i], firstMoment[i], secondMoment[i]]);
					t.is(found.join("\n"), expected.join("\n"));
				}
			},
		),
		{ numRuns: 40 },
	);
});

test("a step's factors are float32 numbers, which a message carries unchanged", (t) => {
	const steps = fc.constantFrom(1, 2, 3, 1000, 1e6);
	const rates = fc.double({ min: 1e-8, max: 1, noNaN: true });
	fc.assert(
		fc.property(steps, rates, rates, rates, (step, lr, weightDecay, rate) => {
			const options = { lr, weightDecay, decay: "matrices", gradientScale: rate } as const;
			for (const factor of Object.values(adamWScalars(step, options))) t.is(fround(factor), factor);
		}),
	);
});

test("numbers after the trained parameters aren't changed in kernel memory either", (t) => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 40 }), (length) => {
			const [parameters, firstMoment, secondMoment] = allocateVectors(length + 5, length, length);
			parameters.fill(1);
			const gradient = new Float32Array(length).fill(1);
			stepAdamW(parameters, gradient, { firstMoment, secondMoment }, FIRST_STEP);
			t.true(parameters.subarray(0, length).every((p) => p < 1));
			t.true(parameters.subarray(length).every((p) => p === 1));
		}),
	);
});

test("a step reports a gradient with a non-finite number, at any position and in any memory", (t) => {
	const bad = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30);
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.boolean(), bad, (length, place, inOneMemory, number) => {
			const zeros = () => new Float32Array(length);
			const apart = [zeros(), zeros(), zeros(), zeros()] as const;
			const [p, firstMoment, secondMoment, gradient] = inOneMemory
				? allocateVectors(length, length, length, length)
				: apart;
			gradient.set(noise(length, place));
			const step = () => stepAdamW(p, gradient, { firstMoment, secondMoment }, FIRST_STEP);
			t.true(step());
			gradient[place % length] = number;
			t.false(step());
		}),
	);
});

test("very small moments become zero, and non-finite numbers stay non-finite", (t) => {
	const firstMoment = Float32Array.of(1e-30, -1e-30, 1e-29, Number.NaN, Number.POSITIVE_INFINITY);
	const secondMoment = Float32Array.of(2 ** -126, 1e-45, 1e-37, Number.NaN, Number.POSITIVE_INFINITY);
	const gradient = new Float32Array(5);
	stepAdamW(
		new Float32Array(5),
		gradient,
		{ firstMoment, secondMoment },
		adamWScalars(9, { lr: 0.1, weightDecay: 0.1 }),
	);
	t.deepEqual([...firstMoment], [0, 0, fround(fround(0.9) * fround(1e-29)), Number.NaN, Number.POSITIVE_INFINITY]);
	t.deepEqual([...secondMoment], [0, 0, fround(fround(0.999) * fround(1e-37)), Number.NaN, Number.POSITIVE_INFINITY]);
});
