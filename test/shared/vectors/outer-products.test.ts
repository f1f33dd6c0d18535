import test from "ava";
import fc from "fast-check";
import { allocateVectors } from "../../../shared/vectors/allocate-vectors.ts";
import { type OuterProducts, writeOuterProducts } from "../../../shared/vectors/outer-products.ts";

const { fround } = Math;

/** The definition, element by element. */
function writeByDefinition({ target, left, right, ...products }: OuterProducts): void {
	for (let i = 0; i < products.rows; i++) {
		for (let j = 0; j < products.columns; j++) {
			let sum = 0;
			for (let r = 0; r < products.rank; r++) {
				const x = left[products.leftOffset + r * products.leftStride + i] as number;
				const product = fround(x * (right[products.rightOffset + r * products.rightStride + j] as number));
				sum = r === 0 ? product : fround(sum + product);
			}
			target[products.offset + i * products.stride + j] = sum;
		}
	}
}

/** Fills a vector with pseudo-random numbers in [-1, 1), some of them 0 and -0. */
function fillNoise(numbers: Float32Array, seed: number): void {
	let state = seed;
	for (let i = 0; i < numbers.length; i++) {
		state = (Math.imul(state, 1664525) + 1013904223) | 0;
		numbers[i] = state % 7 === 0 ? (state < 0 ? -0 : 0) : state / 2 ** 31;
	}
}

interface Shape {
	readonly rows: number;
	readonly columns: number;
	readonly rank: number;
	/** Numbers before the first and after each row of all three matrices. */
	readonly before?: number;
	readonly between?: number;
}

type Allocate = (...lengths: [number, number, number]) => readonly Float32Array[];

function productsOf({ rows, columns, rank, before = 0, between = 0 }: Shape, seed: number, allocate: Allocate) {
	const [stride, leftStride, rightStride] = [columns + between, rows + between, columns + between];
	const [target, left, right] = allocate(
		before + rows * stride,
		before + rank * leftStride,
		before + rank * rightStride,
	) as [Float32Array, Float32Array, Float32Array];
	for (const [i, numbers] of [target, left, right].entries()) fillNoise(numbers, seed + i);
	const places = { offset: before, stride, leftOffset: before, leftStride, rightOffset: before, rightStride };
	return { target, left, right, rows, columns, rank, ...places };
}

const inOneMemory: Allocate = (...lengths) => allocateVectors(...lengths);
const apart: Allocate = (...lengths) => lengths.map((length) => new Float32Array(length));
const targetAlone: Allocate = (length, ...others) => [...allocateVectors(length), ...apart(length, ...others).slice(1)];
const factorsAlone: Allocate = (length, ...others) => [new Float32Array(length), ...allocateVectors(...others)];

function checkBits(
	t: { is: (found: boolean, expected: boolean, message: string) => void },
	shape: Shape,
	seed: number,
	threads: readonly number[] = [1],
): void {
	const expected = productsOf(shape, seed, apart);
	writeByDefinition(expected);
	for (const [memory, allocate] of [inOneMemory, apart, targetAlone, factorsAlone].entries()) {
		for (const count of threads) {
			const products = productsOf(shape, seed, allocate);
			writeOuterProducts(products, count);
			const isSame = Buffer.from(products.target.buffer, products.target.byteOffset, products.target.byteLength).equals(
				Buffer.from(expected.target.buffer),
			);
			t.is(isSame, true, `memory ${memory}, ${count} threads`);
		}
	}
}

test("a block has the bits of its definition, whatever its shape, place and memory, and other numbers aren't changed", (t) => {
	const shapes = fc.record({
		rows: fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 77), fc.integer({ min: 1, max: 40 })),
		columns: fc.oneof(fc.constantFrom(1, 2, 6, 8, 64), fc.integer({ min: 1, max: 40 })),
		rank: fc.integer({ min: 1, max: 20 }),
		before: fc.nat(9),
		between: fc.nat(9),
	});
	fc.assert(fc.property(shapes, fc.integer(), (shape, seed) => checkBits(t, shape, seed)));
});

test("columns are computed in several passes if the rank is high", (t) => {
	checkBits(t, { rows: 6, columns: 100, rank: 300 }, 1);
});

test("threads that share a block write the same bits", (t) => {
	checkBits(t, { rows: 310, columns: 1030, rank: 8, between: 5 }, 2, [1, 2, 3]);
});

test("factors too large for the workspace are computed in parts", (t) => {
	// 2,000 products of 600 and of 400 numbers: more than 4 MiB.
	checkBits(t, { rows: 30, columns: 700, rank: 1500, before: 3 }, 3);
	checkBits(t, { rows: 700, columns: 30, rank: 1500, between: 1 }, 4);
});

test("infinite and very small numbers are computed as by the definition", (t) => {
	const left = Float32Array.of(Number.POSITIVE_INFINITY, 1e-45, -0, 3e38);
	const right = Float32Array.of(2, -0.5, 0, 1e-45);
	const target = new Float32Array(16);
	const places = { offset: 0, stride: 4, leftOffset: 0, leftStride: 4, rightOffset: 0, rightStride: 4 };
	const products = { target, rows: 4, columns: 4, rank: 1, left, right, ...places };
	const expected = { ...products, target: new Float32Array(16) };
	writeByDefinition(expected);
	writeOuterProducts(products);
	t.deepEqual(target, expected.target);
});

test("a block or a factor that exceeds its array is refused", (t) => {
	const shape = { rows: 4, columns: 8, rank: 2 };
	const products = productsOf(shape, 1, inOneMemory);
	const wrong = [
		{ rank: 0 },
		{ rank: 3 },
		{ rows: 5 },
		{ columns: 9 },
		{ offset: 1 },
		{ leftOffset: 1 },
		{ rightOffset: 1 },
		{ stride: 9 },
		{ leftStride: 5 },
		{ rightStride: 9 },
	];
	for (const change of wrong) {
		const message = /outer products of \d rows and \d columns don't fit/;
		t.throws(() => writeOuterProducts({ ...products, ...change }), { instanceOf: RangeError, message });
	}
});
