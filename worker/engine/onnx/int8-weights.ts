import { Tensor } from "onnxruntime-node";
import type { EngineOptions } from "../engine.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Int8Weights } from "./int8-linear.ts";
import { floats, Session } from "./session.ts";

const [ROWS, DEPTH, COLUMNS] = [17, 256, 32];

/**
 * The type in which this machine multiplies weights of 8 bits without an error. With signed ones, processors without
 * VNNI or the like add pairs of products in 16 bits, which may be too few; with unsigned ones they don't. Either way the
 * whole numbers are the same, and so are the results. Where signed ones are exact, they are the faster.
 */
export async function exactInt8Weights(options: EngineOptions): Promise<Int8Weights> {
	const session = await Session.open(largestProducts(), options);
	try {
		for (const rows of [1, ROWS]) {
			const sums = new Float32Array(rows * COLUMNS);
			const left = new Tensor("uint8", new Uint8Array(rows * DEPTH).fill(255), [rows, DEPTH]);
			await session.run({ left }, { sums: floats(sums, [rows, COLUMNS]) });
			if (sums.some((sum) => sum !== DEPTH * 255 * 127)) return "uint8";
		}
		return "int8";
	} finally {
		await session.dispose();
	}
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
