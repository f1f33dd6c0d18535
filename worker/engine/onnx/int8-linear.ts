import type { Activation } from "../../../shared/model/activation.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { ELEMENT_TYPE } from "./onnx-model.ts";

/** How the quantised weights are stored: as signed numbers, or as unsigned numbers with 128 added. */
export type Int8Weights = "int8" | "uint8";

/** Weights [in, out], float32, which ONNX Runtime quantises when it opens the graph. */
export interface Int8Matrix {
	readonly matrix: Value;
	readonly stored: Int8Weights;
}

export interface Int8Layer extends Int8Matrix {
	/** The activation whose output the rows are; undefined for other rows. */
	readonly after: Activation | undefined;
}

/** x quantised: the whole numbers nearest to x / scale + zero. */
interface Quantised {
	readonly numbers: Value;
	readonly scale: Value;
	readonly zero: number;
}

// The maximum that is assumed if all numbers are 0, so that no scale is 0.
const TINY = 1e-30;
/**
 * How far below 0 an activation's values can be, and how many of the 255 steps are below 0. With 32 for GELU, the
 * features were nearest to those of fp32.
 */
const BELOW_ZERO = {
	gelu: { depth: 0.17, steps: 32 },
	gelu_new: { depth: 0.17, steps: 32 },
	relu: { depth: 0, steps: 0 },
	silu: { depth: 0.279, steps: 32 },
} as const satisfies Record<Activation, { depth: number; steps: number }>;

/**
 * Multiplies rows [rows, in] by the layer's matrix in 8-bit integers. Weights have one scale per output, rows one scale
 * per row. So a row's result depends on no other row, and the sums of integers are exact.
 */
export function int8Linear(graph: GraphBuilder, rows: Value, { matrix, stored, after }: Int8Layer): Value {
	const left = quantiseInput(graph, rows, after);
	const product = int8Product(graph, left.numbers, left.zero, { matrix, stored });
	return graph.op("Mul", [product, left.scale]);
}

/**
 * Multiplies rows as `int8Linear`, by a matrix that is stored in 8 bits, with the operators of the ONNX standard.
 * @param numbers uint8 [in, out], with 128 added
 * @param scales [out]
 */
export function storedInt8Linear(
	graph: GraphBuilder,
	rows: Value,
	{ numbers, scales, after }: Pick<Int8Layer, "after"> & { readonly numbers: Value; readonly scales: Value },
): Value {
	const left = quantiseInput(graph, rows, after);
	const product = graph.op("MatMulInteger", [left.numbers, numbers, graph.byte(left.zero), graph.byte(128)]);
	const scaled = graph.op("Mul", [graph.op("Cast", [product], { to: ELEMENT_TYPE.float32 }), scales]);
	return graph.op("Mul", [scaled, left.scale]);
}

function quantiseInput(graph: GraphBuilder, rows: Value, after: Activation | undefined): Quantised {
	return after ? quantiseActivated(graph, rows, after) : quantiseRows(graph, rows);
}

/** Multiplies rows of integers of 0 to 255, minus `zero`, by a matrix. The result is float32. */
export function int8Product(graph: GraphBuilder, rows: Value, zero: number, { matrix, stored }: Int8Matrix): Value {
	const zeros = { int8: graph.bytes(Int8Array.of(0), []), uint8: graph.byte(128) };
	const { numbers, scale } = quantiseColumns(graph, matrix, zeros[stored]);
	const one = graph.float(1);
	return graph.op("MatMulIntegerToFloat", [rows, numbers, one, scale, graph.byte(zero), zeros[stored]]);
}

/**
 * Quantises weights to integers of -127 to 127, plus `zero` [in, out], with scales [out]. ONNX Runtime computes them
 * once and keeps all intermediate results until the last one: hence the few operations.
 */
function quantiseColumns(graph: GraphBuilder, matrix: Value, zero: Value): Omit<Quantised, "zero"> {
	const reduce = (type: string) => graph.op(type, [matrix, graph.ints([0])], { keepdims: 0 });
	const top = graph.op("Max", [reduce("ReduceMax"), graph.op("Neg", [reduce("ReduceMin")])]);
	const scale = scaleOf(graph, top, 127);
	const numbers = graph.op("QuantizeLinear", [graph.op("Div", [matrix, scale]), graph.float(1), zero]);
	return { numbers, scale };
}

function quantiseRows(graph: GraphBuilder, rows: Value): Quantised {
	const top = graph.op("ReduceMax", [graph.op("Abs", [rows]), graph.ints([-1])]);
	return toBytes(graph, rows, scaleOf(graph, top, 127), 128);
}

function quantiseActivated(graph: GraphBuilder, rows: Value, after: Activation): Quantised {
	const { depth, steps } = BELOW_ZERO[after];
	const scale = scaleOf(graph, graph.op("ReduceMax", [rows, graph.ints([-1])]), 255 - steps);
	if (depth === 0) return toBytes(graph, rows, scale, steps);
	return toBytes(graph, rows, graph.op("Max", [scale, graph.float(depth / steps)]), steps);
}

function scaleOf(graph: GraphBuilder, top: Value, steps: number): Value {
	return graph.op("Div", [graph.op("Max", [top, graph.float(TINY)]), graph.float(steps)]);
}

/** @param scale [rows, 1] */
function toBytes(graph: GraphBuilder, rows: Value, scale: Value, zero: number): Quantised {
	const list = graph.op("Reshape", [scale, graph.ints([-1])]);
	const zeros = graph.op("Expand", [graph.byte(zero), graph.op("Shape", [list])]);
	return { numbers: graph.op("QuantizeLinear", [rows, list, zeros], { axis: 0 }), scale, zero };
}
