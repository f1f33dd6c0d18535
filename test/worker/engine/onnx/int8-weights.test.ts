import test, { type ExecutionContext } from "ava";
import { Tensor } from "onnxruntime-node";
import { GraphBuilder } from "../../../../worker/engine/onnx/graph-builder.ts";
import { type Int8Weights, int8Product } from "../../../../worker/engine/onnx/int8-linear.ts";
import { chooseInt8Weights, findExactInt8Weights } from "../../../../worker/engine/onnx/int8-weights.ts";
import { ELEMENT_TYPE } from "../../../../worker/engine/onnx/onnx-model.ts";
import { floats, OnnxSession } from "../../../../worker/engine/onnx/session.ts";

// The sums in the test of the processor.
const [DEPTH, COLUMNS] = [256, 32];
const EXACT = DEPTH * 255 * 127;
// Two products at a time in 16 bits, as AVX2 without VNNI adds them.
const SATURATED = (DEPTH / 2) * Math.min(2 * 255 * 127, 32767);

const sumsOf = (rows: number, sum: number) => new Float32Array(rows * COLUMNS).fill(sum);

test("signed weights are chosen if all their largest products are exact, and unsigned ones otherwise", async (t) => {
	t.is(await chooseInt8Weights(async (rows) => sumsOf(rows, EXACT)), "int8");
	t.is(await chooseInt8Weights(async (rows) => sumsOf(rows, SATURATED)), "uint8");
	// ONNX Runtime has different kernels for one row, for many rows, and for the last columns.
	t.is(await chooseInt8Weights(async (rows) => sumsOf(rows, rows === 1 ? SATURATED : EXACT)), "uint8");
	t.is(await chooseInt8Weights(async (rows) => sumsOf(rows, rows === 1 ? EXACT : SATURATED)), "uint8");
	t.is(await chooseInt8Weights(async (rows) => sumsOf(rows, EXACT).fill(SATURATED, rows * COLUMNS - 1)), "uint8");
});

test("on this processor unsigned weights are exact, and signed ones are chosen only if they are too", async (t) => {
	t.true(await areExact(t, "uint8"));
	t.is(await findExactInt8Weights({ threads: 1 }), (await areExact(t, "int8")) ? "int8" : "uint8");
});

/** Whether products of extreme and of mixed numbers equal those of integer arithmetic. */
async function areExact(t: ExecutionContext, stored: Int8Weights): Promise<boolean> {
	const mixed = Int8Array.from({ length: DEPTH * COLUMNS }, (_, i) => ((i * 7919) % 255) - 127);
	// 127 in the first row makes each column's scale 1.
	mixed.fill(127, 0, COLUMNS);
	for (const weights of [mixed, mixed.map(() => 127), mixed.map((_, i) => (i < COLUMNS ? 127 : -127))]) {
		const session = await OnnxSession.open(productGraph(weights, stored), { threads: 1 });
		t.teardown(() => session.dispose());
		for (const rows of [1, 3, 17]) {
			for (const left of [
				new Uint8Array(rows * DEPTH).fill(255),
				new Uint8Array(rows * DEPTH).map((_, i) => (i * 104729) % 256),
			]) {
				const sums = new Float32Array(rows * COLUMNS);
				await session.run({ left: new Tensor("uint8", left, [rows, DEPTH]) }, { sums: floats(sums, [rows, COLUMNS]) });
				if (sums.some((sum, at) => sum !== sumOf(left, weights, at))) return false;
			}
		}
	}
	return true;
}

function productGraph(weights: Int8Array, stored: Int8Weights): Buffer {
	const graph = new GraphBuilder("products");
	const left = graph.input("left", "uint8", ["rows", DEPTH]);
	const matrix = graph.op("Cast", [graph.bytes(weights, [DEPTH, COLUMNS])], { to: ELEMENT_TYPE.float32 });
	graph.output("sums", int8Product(graph, left, 0, { matrix, stored }), "float32", ["rows", COLUMNS]);
	return graph.build();
}

/** One number of the product of two matrices. */
function sumOf(left: Uint8Array, weights: Int8Array, at: number): number {
	const [row, column] = [Math.floor(at / COLUMNS), at % COLUMNS];
	let sum = 0;
	for (let i = 0; i < DEPTH; i++) sum += (left[row * DEPTH + i] ?? 0) * (weights[i * COLUMNS + column] ?? 0);
	return sum;
}
