import test from "ava";
import { measureOnnxRates, threadCounts } from "../../../../worker/engine/onnx/measure-rates.ts";

test("products and whole blocks are measured in both precisions", async (t) => {
	const rates = await measureOnnxRates(1);
	t.deepEqual(
		rates.map(({ precision, threads }) => [precision, threads]),
		[
			["fp32", 1],
			["int8", 1],
		],
	);
	for (const { productsGflops, trunkGflops } of rates)
		t.true(productsGflops > 0 && trunkGflops > 0 && Number.isFinite(productsGflops + trunkGflops));
});

test("rates are measured with 1, 2, 4... threads up to those given", (t) => {
	t.deepEqual([1, 2, 3, 8, 12].map(threadCounts), [[1], [1, 2], [1, 2, 3], [1, 2, 4, 8], [1, 2, 4, 8, 12]]);
});
