import test from "ava";
import fc from "fast-check";
import { allocateVectors } from "../../../shared/vectors/allocate-vectors.ts";
import { writeOuterProducts } from "../../../shared/vectors/outer-products.ts";
import type { OuterProducts } from "../../../shared/vectors/pack-factors.ts";

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

/** Two blocks of one target with factors of their own, as those of two heads; needs as much room between rows. */
function twoBlocks(products: OuterProducts): OuterProducts[] {
	const { offset, leftOffset, rightOffset, rows, columns } = products;
	const second = { offset: offset + columns, leftOffset: leftOffset + rows, rightOffset: rightOffset + columns };
	return [products, { ...products, ...second }];
}

/** Checks blocks in all kinds of memories, which are written in one call. */
function checkBits(
	t: { is: (found: boolean, expected: boolean, message: string) => void },
	shape: Shape,
	seed: number,
	{ threads = [1], blocksOf = (products: OuterProducts) => [products] } = {},
): void {
	const expected = productsOf(shape, seed, apart);
	blocksOf(expected).forEach(writeByDefinition);
	for (const count of threads) {
		const found = [inOneMemory, apart, targetAlone, factorsAlone].map((memory) => productsOf(shape, seed, memory));
		writeOuterProducts(found.flatMap(blocksOf), count);
		for (const [memory, { target }] of found.entries()) {
			const bits = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
			t.is(bits.equals(Buffer.from(expected.target.buffer)), true, `memory ${memory}, ${count} threads`);
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

test("threads that share the blocks of a call write the same bits", (t) => {
	const options = { threads: [1, 2, 3], blocksOf: twoBlocks };
	checkBits(t, { rows: 410, columns: 515, rank: 40, before: 1, between: 520 }, 2, options);
});

test("factors too large for the workspace, alone or together, are computed in parts", (t) => {
	// 4.8 and 2.3 million numbers; there is room for 2.1 million.
	checkBits(t, { rows: 30, columns: 1200, rank: 2000, before: 3 }, 3);
	checkBits(t, { rows: 1200, columns: 30, rank: 2000, between: 1 }, 4);
	checkBits(t, { rows: 60, columns: 60, rank: 6000, between: 60 }, 5, { blocksOf: twoBlocks });
});

test("infinite and very small numbers are computed as by the definition", (t) => {
	const left = Float32Array.of(Number.POSITIVE_INFINITY, 1e-45, -0, 3e38);
	const right = Float32Array.of(2, -0.5, 0, 1e-45);
	const target = new Float32Array(16);
	const places = { offset: 0, stride: 4, leftOffset: 0, leftStride: 4, rightOffset: 0, rightStride: 4 };
	const products = { target, rows: 4, columns: 4, rank: 1, left, right, ...places };
	const expected = { ...products, target: new Float32Array(16) };
	writeByDefinition(expected);
	writeOuterProducts([products]);
	t.deepEqual(target, expected.target);
});

test("a block or a factor that exceeds its array, and too many products, are refused", (t) => {
	const shape = { rows: 4, columns: 8, rank: 2 };
	const products = productsOf(shape, 1, inOneMemory);
	const wrong = [
		{ rank: 0 },
		{ rows: 0 },
		{ columns: 0 },
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
	const tooMany = { rank: 300_000, leftStride: 0, rightStride: 0 };
	t.throws(() => writeOuterProducts([{ ...products, ...tooMany }]), { instanceOf: RangeError, message: /too many/ });
	for (const change of wrong) {
		const message = /outer products of \d rows and \d columns don't fit/;
		t.throws(() => writeOuterProducts([{ ...products, ...change }]), { instanceOf: RangeError, message });
	}
});
