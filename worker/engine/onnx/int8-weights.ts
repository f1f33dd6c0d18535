import { Tensor } from "onnxruntime-node";
import type { EngineOptions } from "../engine.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Int8Weights } from "./int8-linear.ts";
import { floats, Session } from "./session.ts";

const [ROWS, DEPTH, COLUMNS] = [17, 256, 32];

/** Multiplies rows of the largest whole numbers with columns of the largest signed weights: rows × COLUMNS sums. */
export type LargestProducts = (rows: number) => Promise<Float32Array>;

/**
 * The type in which this machine multiplies weights of 8 bits without an error, found by trying. Throws TailtuneError
 * "engine" if ONNX Runtime fails.
 */
export async function exactInt8Weights(options: EngineOptions): Promise<Int8Weights> {
	const session = await Session.open(largestProducts(), options);
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
 * Signed weights if their largest products are exact, of one row as of many, else unsigned ones. Processors without VNNI
 * or the like add pairs of products of signed weights in 16 bits, which may be too few; those of unsigned ones they don't.
 * The whole numbers are the same, and so are the results; if signed ones are exact, they are the faster.
 */
export async function chooseInt8Weights(multiply: LargestProducts): Promise<Int8Weights> {
	for (const rows of [1, ROWS]) {
		const sums = await multiply(rows);
		if (sums.some((sum) => sum !== DEPTH * 255 * 127)) return "uint8";
	}
	return "int8";
}

/** Sums of the largest products that there can be. */
function largestProducts(): Buffer {
	const graph = new GraphBuilder("largest products");
	const left = graph.input("left", "uint8", ["rows", DEPTH]);
	const right = graph.bytes(new Int8Array(DEPTH * COLUMNS).fill(127), [DEPTH, COLUMNS]);
	const one = graph.float(1);
	graph.output("sums", graph.op("MatMulIntegerToFloat", [left, right, one, one]), "float32", ["rows", COLUMNS]);
	return graph.build();
}
