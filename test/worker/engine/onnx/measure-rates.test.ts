import test from "ava";
import { measureRates } from "../../../../worker/engine/onnx/measure-rates.ts";

test("both precisions are measured with 1, 2, 4... threads up to those given, and whole blocks beside the products", async (t) => {
	const rates = await measureRates(3);
	t.deepEqual(
		rates.map(({ precision, threads }) => [precision, threads]),
		["fp32", "int8"].flatMap((precision) => [1, 2, 3].map((threads) => [precision, threads])),
	);
	for (const { productsGflops, trunkGflops } of rates)
		t.true(productsGflops > 0 && trunkGflops > 0 && Number.isFinite(productsGflops + trunkGflops));
});
