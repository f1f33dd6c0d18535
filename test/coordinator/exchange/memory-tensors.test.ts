import test from "ava";
import { createMemoryTensors } from "../../../coordinator/exchange/memory-tensors.ts";
import { someResult } from "../../shared/bus/messages.ts";
import { someSchema, tensorConformance } from "../../shared/exchange/conformance.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";

tensorConformance(test, async () => {
	const tensors = createMemoryTensors();
	return { coordinator: tensors, worker: tensors, close: async () => {} };
});

async function openRun() {
	const tensors = createMemoryTensors();
	const received = new ReceivedAnswers(1);
	tensors.openRun("run", someSchema(1), received);
	return { tensors, received };
}

test("a returned array is used for the next gradient, and only once", async (t) => {
	const { tensors, received } = await openRun();
	const [lent, other] = [new Float32Array(1), new Float32Array(1)];
	tensors.lendGradientBuffers("run", [other, lent]);
	for (const serial of [1, 2, 3]) {
		const tensor = tensors.gradientBuffer("run", 1);
		t.is(tensor, lent);
		await tensors.putAnswer({ result: someResult({ serial }), logits: [], tensor });
		t.is(received.answers.at(-1)?.tensor, lent);
		tensors.lendGradientBuffers("run", [lent]);
	}
	t.is(tensors.held("run").free, 2);
});

test("a shorter gradient uses the start of a returned array, and a longer one then the whole array", async (t) => {
	const { tensors } = await openRun();
	const lent = new Float32Array(3);
	tensors.lendGradientBuffers("run", [lent]);
	for (const length of [2, 3, 1, 3]) {
		const tensor = tensors.gradientBuffer("run", length);
		t.is(tensor.length, length);
		t.is(tensor.buffer, lent.buffer);
		tensors.lendGradientBuffers("run", [tensor]);
	}
	t.is(tensors.gradientBuffer("run", 3), lent);
	tensors.lendGradientBuffers("run", [lent]);
	t.not(tensors.gradientBuffer("run", 4).buffer, lent.buffer);
});

test("nothing is copied", async (t) => {
	const { tensors, received } = await openRun();
	const parameters = Float32Array.of(3);
	await tensors.publishState("run", 3, { parameters });
	t.is(await tensors.parameters("run", 3), parameters);
	const tensor = tensors.gradientBuffer("run", 1);
	await tensors.putAnswer({ result: someResult(), logits: [], tensor });
	t.is(received.answers[0]?.tensor, tensor);
});

test("the array of an answer to an item that isn't waiting is used again", async (t) => {
	const { tensors } = await openRun();
	for (const held of [0, 1]) {
		const tensor = new Float32Array(1);
		await tensors.putAnswer({ result: someResult(), logits: [], tensor });
		t.is(tensors.held("run").free, held);
	}
});
