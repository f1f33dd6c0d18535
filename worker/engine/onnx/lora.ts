import type { GraphBuilder, Value } from "./graph-builder.ts";
import type { Pass, TailContext } from "./pass.ts";

/**
 * Adds s x A B to the linear layer `plain` of these rows, if there are LoRA pairs (Hu et al. 2021, "LoRA", section
 * 4.1).
 */
export function withLora(context: TailContext, name: string, rows: Value, plain: Pass): Pass {
	const { graph, loraScale } = context;
	if (loraScale === undefined) return plain;
	const parts = name.endsWith(".c_attn") ? ["q", "k", "v"].map((part) => `${name}.${part}`) : [name];
	const pairs = parts.map((part) => loraPair(context, part, rows, loraScale));
	const joined = graph.op(
		"Concat",
		pairs.map(({ value }) => value),
		{ axis: 1 },
	);
	return {
		value: graph.op("Add", [plain.value, joined]),
		back(gradient) {
			const parted = graph.ops("Split", [gradient], parts.length, { axis: 1, num_outputs: parts.length });
			const dRows = pairs.map((pair, i) => pair.back(parted[i] as Value));
			return dRows.reduce((sum, one) => graph.op("Add", [sum, one]), plain.back(gradient));
		},
	};
}

/** s x A B with the trained pair `name.lora_A` and `name.lora_B`. */
function loraPair(context: TailContext, name: string, rows: Value, scale: number): Pass {
	const { graph, loraRank: rank } = context;
	const [a, b] = [context.weight(`${name}.lora_A`), context.weight(`${name}.lora_B`)];
	const inner = narrowMatMul(graph, rows, a);
	const alpha = { float: scale };
	return {
		value: graph.op("Gemm", [inner, b], { transA: 1, alpha }),
		back(gradient) {
			const dB = graph.op("Gemm", [transposed(graph, inner, rank), gradient], { transA: 1, alpha });
			context.setGradient(`${name}.lora_B`, dB);
			const dInner = narrowMatMul(graph, gradient, transposed(graph, b, rank), alpha);
			context.setGradient(`${name}.lora_A`, graph.op("Gemm", [rows, dInner], { transA: 1, transB: 1 }));
			return graph.op("Gemm", [dInner, a], { transA: 1, transB: 1 });
		},
	};
}

/**
 * Multiplies rows [rows, in] by a matrix [in, few] with few columns. The result is transposed: [few, rows].
 *
 * If a thread gets few columns, ONNX Runtime sums in portions whose size depends on their number, so the bits would
 * depend on the number of threads. They don't if the left operand is stored by columns, as the matrix is here.
 */
export function narrowMatMul(graph: GraphBuilder, rows: Value, matrix: Value, alpha = { float: 1 }): Value {
	return graph.op("Gemm", [matrix, rows], { transA: 1, transB: 1, alpha });
}

/**
 * The transpose of a matrix with `rows` rows that is stored by columns. It is transposed as a batch of one matrix,
 * since ONNX Runtime turns a plain transpose into a flag of the product.
 */
export function transposed(graph: GraphBuilder, matrix: Value, rows: number): Value {
	const batch = graph.op("Reshape", [matrix, graph.ints([1, rows, -1])]);
	return graph.op("Reshape", [graph.op("Transpose", [batch], { perm: [0, 2, 1] }), graph.ints([-1, rows])]);
}
