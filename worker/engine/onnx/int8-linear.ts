import type { GraphBuilder, Value } from "./graph-builder.ts";

/** The type that holds the weights' whole numbers: as they are, or with 128 added. */
export type Int8Weights = "int8" | "uint8";

/** Weights [in, out], float32, to be made whole numbers when the graph is opened. */
export interface Int8Matrix {
	readonly matrix: Value;
	readonly stored: Int8Weights;
}

export interface Int8Layer extends Int8Matrix {
	/** The rows come out of GELU, which is nowhere below -0.17. */
	readonly afterGelu: boolean;
}

/** Whole numbers near x / scale + zero, and that scale. */
interface Quantised {
	readonly numbers: Value;
	readonly scale: Value;
	readonly zero: number;
}

// Stands for a scale where all is 0.
const TINY = 1e-30;
// GELU's least value is -0.16997; with 32 of 255 steps below 0, features came out nearest to those of fp32.
const GELU_DEPTH = 0.17;
const GELU_ZERO = 32;

/**
 * rows [rows, in] times the layer's matrix, from whole numbers of 8 bits: weights with a scale for each output, rows with a
 * scale for each. So a row's result depends on no other row; the sums of whole numbers are exact.
 */
export function int8Linear(graph: GraphBuilder, rows: Value, { matrix, stored, afterGelu }: Int8Layer): Value {
	const left = afterGelu ? quantiseGelu(graph, rows) : quantiseRows(graph, rows);
	const product = int8Product(graph, left.numbers, left.zero, { matrix, stored });
	return graph.op("Mul", [product, left.scale]);
}

/** Rows of whole numbers of 0 to 255, less `zero`, times a matrix: float32. */
export function int8Product(graph: GraphBuilder, rows: Value, zero: number, { matrix, stored }: Int8Matrix): Value {
	const zeros = { int8: graph.bytes(Int8Array.of(0), []), uint8: graph.byte(128) };
	const { numbers, scale } = quantiseColumns(graph, matrix, zeros[stored]);
	const one = graph.float(1);
	return graph.op("MatMulIntegerToFloat", [rows, numbers, one, scale, graph.byte(zero), zeros[stored]]);
}

/**
 * Whole numbers of -127 to 127 above `zero` [in, out], and scales [out]. ONNX Runtime computes them once and keeps what
 * lies in between until all are done: hence the few operations.
 */
function quantiseColumns(graph: GraphBuilder, matrix: Value, zero: Value): Omit<Quantised, "zero"> {
	const extreme = (type: string) => graph.op(type, [matrix, graph.ints([0])], { keepdims: 0 });
	const top = graph.op("Max", [extreme("ReduceMax"), graph.op("Neg", [extreme("ReduceMin")])]);
	const scale = scaleOf(graph, top, 127);
	const numbers = graph.op("QuantizeLinear", [graph.op("Div", [matrix, scale]), graph.float(1), zero]);
	return { numbers, scale };
}

function quantiseRows(graph: GraphBuilder, rows: Value): Quantised {
	const top = graph.op("ReduceMax", [graph.op("Abs", [rows]), graph.ints([-1])]);
	return toBytes(graph, rows, scaleOf(graph, top, 127), 128);
}

function quantiseGelu(graph: GraphBuilder, rows: Value): Quantised {
	const scale = scaleOf(graph, graph.op("ReduceMax", [rows, graph.ints([-1])]), 255 - GELU_ZERO);
	const least = graph.float(GELU_DEPTH / GELU_ZERO);
	return toBytes(graph, rows, graph.op("Max", [scale, least]), GELU_ZERO);
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
