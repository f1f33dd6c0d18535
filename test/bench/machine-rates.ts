import { Tensor } from "onnxruntime-node";
import { GraphBuilder, type Value } from "../../worker/engine/onnx/graph-builder.ts";
import { Session } from "../../worker/engine/onnx/session.ts";
import { median } from "./side-by-side.ts";

/** What this machine can do at best: the floor that a step is held against. */
export interface MachineRates {
	/** Of large float32 matrix products. */
	readonly gflopPerSecond: number;
	/** Read and written together, of arrays that no cache holds. */
	readonly gigabytesPerSecond: number;
}

const WIDTH = 768;
const ROUNDS = 15;

/** Measures with ONNX Runtime, whose kernels are the fastest on npm: a trunk's matrix products, and sums of large arrays. */
export async function measureMachine(threads: number): Promise<MachineRates> {
	return { gflopPerSecond: await productRate(threads), gigabytesPerSecond: await memoryRate(threads) };
}

/** The four products of a block, on as many rows as a group of the trunk has; the second operand is packed beforehand. */
async function productRate(threads: number): Promise<number> {
	const rows = 1024;
	let flop = 0;
	let seconds = 0;
	for (const [inputs, outputs] of [
		[WIDTH, 3 * WIDTH],
		[WIDTH, WIDTH],
		[WIDTH, 4 * WIDTH],
		[4 * WIDTH, WIDTH],
	] as const) {
		const graph = new GraphBuilder("product");
		const a = graph.input("a", "float32", [rows, inputs]);
		const flat = graph.filled(0.5, inputs * outputs);
		const weight = graph.op("Reshape", [flat, graph.ints([inputs, outputs])]);
		seconds += await secondsOf(graph, graph.op("MatMul", [a, weight]), { a: [rows, inputs] }, [rows, outputs], threads);
		flop += 2 * rows * inputs * outputs;
	}
	return flop / seconds / 1e9;
}

/** c = a + b over arrays as large as a block's weights. */
async function memoryRate(threads: number): Promise<number> {
	const length = 12 * WIDTH * WIDTH;
	const graph = new GraphBuilder("sum");
	const sum = graph.op("Add", [graph.input("a", "float32", [length]), graph.input("b", "float32", [length])]);
	const seconds = await secondsOf(graph, sum, { a: [length], b: [length] }, [length], threads);
	return (3 * 4 * length) / seconds / 1e9;
}

/** Median seconds of a run of the graph, its results written to an array that is there already. */
async function secondsOf(
	graph: GraphBuilder,
	value: Value,
	inputs: Readonly<Record<string, readonly number[]>>,
	dims: readonly number[],
	threads: number,
): Promise<number> {
	graph.output("out", value, "float32", dims);
	graph.answerNothing("out");
	const session = await Session.open(graph.build(), { threads });
	const filled = (shape: readonly number[]) =>
		new Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), shape);
	const given = Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, filled(shape)]));
	const results = { out: filled(dims) };
	const times: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const start = performance.now();
		await session.run(given, results);
		times.push((performance.now() - start) / 1000);
	}
	await session.dispose();
	return median(times.slice(3));
}
