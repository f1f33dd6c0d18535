import test from "ava";
import { tensorSchema } from "../../../shared/exchange/tensor-schema.ts";
import { parameterLayout } from "../../../shared/model/parameter-layout.ts";
import { TINY } from "../model/tiny-model.ts";

const spec = { trainable: "TRAINABLE_LORA_ONLY", classes: 2, causal: true, loraRank: 2, loraScale: 1 } as const;
const layout = parameterLayout(spec, TINY);

test("a schema has the numbers per parameter vector and per gradient", (t) => {
	const { parameters, gradients } = tensorSchema("model", layout);
	t.deepEqual([parameters, gradients], [layout.size, layout.trainedSize]);
	t.true(gradients < parameters);
});

test("both sides get the same hash of the same run, and another hash if anything differs", (t) => {
	const { hash } = tensorSchema("model", parameterLayout({ ...spec }, { ...TINY }));
	t.is(tensorSchema("model", layout).hash, hash);
	const others = [
		tensorSchema("other model", layout),
		tensorSchema("model", layout, 8),
		tensorSchema("model", { ...layout, trainedSize: layout.trainedSize - 1 }),
		tensorSchema("model", parameterLayout({ ...spec, classes: 3 }, TINY)),
		tensorSchema("model", parameterLayout({ ...spec, trainable: "TRAINABLE_LORA" }, TINY)),
	];
	for (const other of others) t.not(other.hash, hash);
});
