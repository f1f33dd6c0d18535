import { GraphBuilder } from "../../worker/engine/onnx/graph-builder.ts";
import { measureOnnxRates } from "../../worker/engine/onnx/measure-rates.ts";
import { floats, OnnxSession } from "../../worker/engine/onnx/session.ts";
import { median } from "./measure-in-turn.ts";

/** The highest rates of this machine, which steps are compared with. */
export interface MachineRates {
	/** Rate of a trunk's float32 matrix products, as `tailtune doctor` measures it. */
	readonly gflopPerSecond: number;
	/** Bytes read and written, with arrays too large for the caches. */
	readonly gigabytesPerSecond: number;
}

const WIDTH = 768;
const ROUNDS = 15;

/** Measures a trunk's matrix products and sums of large arrays, with ONNX Runtime, the fastest on npm. */
export async function measureMachine(threads: number): Promise<MachineRates> {
	const rates = await measureOnnxRates(threads);
	const products = rates.find((rate) => rate.precision === "fp32" && rate.threads === threads);
	return { gflopPerSecond: products?.productsGflops ?? Number.NaN, gigabytesPerSecond: await memoryRate(threads) };
}

/** c = a + b with arrays as large as a block's weights, written to an existing array. */
async function memoryRate(threads: number): Promise<number> {
	const length = 12 * WIDTH * WIDTH;
	const graph = new GraphBuilder("sum");
	const sum = graph.op("Add", [graph.input("a", "float32", [length]), graph.input("b", "float32", [length])]);
	graph.output("out", sum, "float32", [length]);
	graph.skipResultCopies(graph.float(0));
	const session = await OnnxSession.open(graph.build(), { threads });
	const filled = () => floats(new Float32Array(length).fill(0.5), [length]);
	const [inputs, results] = [{ a: filled(), b: filled() }, { out: filled() }];
	const seconds: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const start = performance.now();
		await session.run(inputs, results);
		seconds.push((performance.now() - start) / 1000);
	}
	await session.dispose();
	return (3 * 4 * length) / median(seconds.slice(3)) / 1e9;
}
