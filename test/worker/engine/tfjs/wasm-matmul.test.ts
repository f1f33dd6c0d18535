import * as tf from "@tensorflow/tfjs";
import test from "ava";
import { openTfjsBackend } from "../../../../worker/engine/tfjs/backend.ts";

const backend = await openTfjsBackend({ backend: "wasm", threads: 1 });

/** Integers, so that sums are the same in any order. */
function numbers(shape: number[], seed: number): tf.Tensor {
	const size = shape.reduce((product, n) => product * n, 1);
	return tf.tensor(
		Array.from({ length: size }, (_, i) => ((i * 7919 + seed * 104729) % 13) - 6),
		shape,
		"float32",
	);
}

function productInPlainLoops(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): number[] {
	const axes = a.shape.map((_, axis) => axis);
	const swapped = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
	const [left, right] = [transposeA ? a.transpose(swapped) : a, transposeB ? b.transpose(swapped) : b];
	const [m = 1, k = 1] = left.shape.slice(-2);
	const n = right.shape.at(-1) ?? 1;
	const [x, y] = [left.dataSync(), right.dataSync()];
	const stacks = x.length / (m * k);
	return Array.from({ length: stacks * m * n }, (_, cell) => {
		const [stack, row, column] = [Math.floor(cell / (m * n)), Math.floor(cell / n) % m, cell % n];
		let sum = 0;
		for (let i = 0; i < k; i++) sum += (x[(stack * m + row) * k + i] ?? 0) * (y[(stack * k + i) * n + column] ?? 0);
		return sum;
	});
}

// Single matrices with either factor the smaller one, a small stack, and a stack that is split.
const SHAPES = [
	{ stacks: [], sizes: [3, 5, 20] },
	{ stacks: [], sizes: [20, 5, 3] },
	{ stacks: [1, 1], sizes: [4, 6, 2] },
	{ stacks: [2, 3], sizes: [4, 6, 2] },
	{ stacks: [2, 2], sizes: [8, 64, 512] },
] as const;

for (const { stacks, sizes } of SHAPES) {
	for (const [transposeA, transposeB] of [
		[false, false],
		[true, false],
		[false, true],
		[true, true],
	] as const) {
		const flags = `${transposeA ? "A'" : "A"} ${transposeB ? "B'" : "B"}`;
		test(`${flags} of [${[...stacks, ...sizes]}] is the product`, async (t) => {
			await backend.run(() => {
				const [m, k, n] = sizes;
				const a = numbers([...stacks, ...(transposeA ? [k, m] : [m, k])], 1);
				const b = numbers([...stacks, ...(transposeB ? [n, k] : [k, n])], 2);
				const before = tf.memory().numDataBuffers;
				const product = tf.matMul(a, b, transposeA, transposeB);
				t.is(tf.memory().numDataBuffers, before + 1, "only the product is left");
				t.deepEqual(product.shape, [...stacks, m, n]);
				t.deepEqual([...product.dataSync()], productInPlainLoops(a, b, transposeA, transposeB));
			});
		});
	}
}

test("one matrix times each matrix of a stack is the product", async (t) => {
	await backend.run(() => {
		const a = numbers([1, 4, 6], 1);
		const b = numbers([3, 2, 6], 2);
		const expected = productInPlainLoops(a.tile([3, 1, 1]), b, false, true);
		t.deepEqual([...tf.matMul(a, b, false, true).dataSync()], expected);
	});
});
