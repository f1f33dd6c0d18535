import test from "ava";
import { createMemoryTensors } from "../../../coordinator/exchange/memory-tensors.ts";
import { itemKey } from "../../../shared/messages.ts";
import { someItem, tensorConformance } from "../../shared/exchange/conformance.ts";

tensorConformance(test, async () => {
	const tensors = createMemoryTensors();
	return { coordinator: tensors, worker: tensors, close: async () => {} };
});

test("an array that is given back is the next to be written to, and there only once", async (t) => {
	const tensors = createMemoryTensors();
	const [lent, other] = [new Float32Array(1), new Float32Array(1)];
	tensors.lendGradientBuffers("run", [other, lent]);
	await tensors.publishParameters("run", 1, new Float32Array(1));
	for (const part of [1, 2, 3]) {
		const gradient = tensors.gradientBuffer("run", 1);
		t.is(gradient, lent);
		const item = { kind: "WORK_KIND_GRADIENT", parameterVersion: 1, part } as const;
		await tensors.putGradient("run", item, gradient);
		t.is(await tensors.takeGradient("run", itemKey(item)), lent);
		tensors.lendGradientBuffers("run", [lent]);
	}
	t.is(tensors.held("run").free, 2);
});

test("nothing is copied", async (t) => {
	const tensors = createMemoryTensors();
	const parameters = Float32Array.of(3);
	await tensors.publishParameters("run", 3, parameters);
	t.is(await tensors.parameters("run", 3), parameters);
	const gradient = tensors.gradientBuffer("run", 1);
	await tensors.putGradient("run", someItem, gradient);
	t.is(await tensors.takeGradient("run", itemKey(someItem)), gradient);
});

test("the memory of a gradient is used again when the next is taken", async (t) => {
	const tensors = createMemoryTensors();
	await tensors.publishParameters("run", 3, new Float32Array(1));
	const taken: unknown[] = [];
	for (const part of [0, 1, 2, 3]) {
		const gradient = tensors.gradientBuffer("run", 1);
		t.not(gradient, taken.at(-1), "the one lent is not written to");
		await tensors.putGradient("run", { ...someItem, part }, gradient);
		taken.push(await tensors.takeGradient("run", itemKey({ ...someItem, part })));
	}
	t.is(new Set(taken).size, 2);
});
