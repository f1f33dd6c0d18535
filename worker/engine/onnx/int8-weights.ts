import { Tensor } from "onnxruntime-node";
import type { EngineOptions } from "../engine.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Int8Weights } from "./int8-linear.ts";
import { floats, OnnxSession } from "./session.ts";

const [ROWS, DEPTH, COLUMNS] = [17, 256, 32];

/** Multiplies rows of the largest integers by columns of the largest signed weights: rows × COLUMNS sums. */
export type MultiplyLargest = (rows: number) => Promise<Float32Array>;

/**
 * Finds the type in which this machine multiplies 8-bit weights without an error, by trying it. Throws TailtuneError
 * "engine" if ONNX Runtime fails.
 */
export async function findExactInt8Weights(options: EngineOptions): Promise<Int8Weights> {
	const session = await OnnxSession.open(largestProducts(), options);
	try {
		return await chooseInt8Weights(async (rows) => {
			const sums = new Float32Array(rows * COLUMNS);
			const left = new Tensor("uint8", new Uint8Array(rows * DEPTH).fill(255), [rows, DEPTH]);
			await session.run({ left }, { sums: floats(sums, [rows, COLUMNS]) });
			return sums;
		});
	} finally {
		await session.dispose();
	}
}

/**
 * Chooses signed weights if their largest products are exact, of one row and of many; otherwise unsigned ones.
 * Processors without instructions such as VNNI add pairs of products of signed weights in 16 bits, which may overflow;
 * with unsigned weights they don't. Both give the same results, but signed weights are faster.
 */
export async function chooseInt8Weights(multiply: MultiplyLargest): Promise<Int8Weights> {
	for (const rows of [1, ROWS]) {
		const sums = await multiply(rows);
		if (sums.some((sum) => sum !== DEPTH * 255 * 127)) return "uint8";
	}
	return "int8";
}

/** Builds a graph that computes sums of the largest possible products. */
function largestProducts(): Buffer {
	const graph = new GraphBuilder("largest products");
	const left = graph.input("left", "uint8", ["rows", DEPTH]);
	const right = graph.bytes(new Int8Array(DEPTH * COLUMNS).fill(127), [DEPTH, COLUMNS]);
	const one = graph.float(1);
	graph.output("sums", graph.op("MatMulIntegerToFloat", [left, right, one, one]), "float32", ["rows", COLUMNS]);
	return graph.build();
}
