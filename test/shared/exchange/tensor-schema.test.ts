import test from "ava";
import { tensorSchema } from "../../../shared/exchange/tensor-schema.ts";
import { parameterLayout } from "../../../shared/model/parameter-layout.ts";
import { someRun } from "../bus/messages.ts";
import { TINY } from "../model/tiny-model.ts";

const tail = {
	trainable: "TRAINABLE_LORA_ONLY",
	classes: 2,
	causal: true,
	loraRank: 2,
	loraScale: 1,
	loss: null,
} as const;
const run = someRun({ tail, factorTexts: 0 });

test("a schema has the numbers per parameter vector and the form of the gradients", (t) => {
	const { parameters, form } = tensorSchema(run, TINY);
	const layout = parameterLayout(tail, TINY);
	t.deepEqual([parameters, form.trainedSize], [layout.size, layout.trainedSize]);
	t.true(form.trainedSize < parameters);
});

test("both sides get the same hash of the same run, and another hash if anything differs", (t) => {
	const { hash } = tensorSchema(run, TINY);
	t.is(tensorSchema({ ...run, tail: { ...tail } }, { ...TINY }).hash, hash);
	const others = [
		{ ...run, modelHash: "other model" },
		{ ...run, factorTexts: 8 },
		{ ...run, tail: { ...tail, classes: 3 } },
		{ ...run, tail: { ...tail, trainable: "TRAINABLE_LORA" as const } },
	];
	for (const other of others) t.not(tensorSchema(other, TINY).hash, hash);
});

test("a run without a tail has no schema", (t) => {
	t.throws(() => tensorSchema({ ...run, tail: null }, TINY), { code: "protocol", message: /has no tail/ });
});
