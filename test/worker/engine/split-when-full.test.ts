import test from "ava";
import type { Tail, TailInput } from "../../../worker/engine/engine.ts";
import { splitWhenFull } from "../../../worker/engine/split-when-full.ts";
import { info } from "../run/fake-engines.ts";

/** A tail whose logit and gradient of a text are its label, on a device with memory for `capacity` texts. */
function tailWithCapacity(capacity: number, error = "OOM when allocating tensor with shape[8,12]"): Tail {
	const logits = async (inputs: readonly TailInput[]) => {
		if (inputs.length > capacity) throw new Error(error);
		return Float32Array.from(inputs, ({ label }) => label);
	};
	return {
		info,
		logits,
		async load() {},
		async gradient(inputs, gradient) {
			const values = await logits(inputs);
			gradient.fill(values.reduce((sum, value) => sum + value, 0) / inputs.length);
			return values;
		},
		async dispose() {},
	};
}

const inputs = [3, 1, 4, 1, 6].map(
	(label): TailInput => ({
		hidden: new Float32Array(0),
		tokens: new Uint32Array(1),
		poolFrom: 0,
		poolCount: 1,
		label,
	}),
);

test("a batch too large for the device is split, gives the same mean gradient, and is reported once", async (t) => {
	for (const capacity of [1, 2, 3]) {
		const reported: string[] = [];
		const tail = splitWhenFull(tailWithCapacity(capacity), (line) => reported.push(line));
		const gradient = new Float32Array(2).fill(Number.NaN);
		t.deepEqual([...(await tail.gradient(inputs, gradient))], [3, 1, 4, 1, 6]);
		t.true(gradient.every((value) => Math.abs(value - 3) < 1e-6));
		t.deepEqual([...(await tail.logits(inputs))], [3, 1, 4, 1, 6]);
		t.deepEqual(reported, ["paper: not enough memory for 5 texts at once: split in halves"]);
	}
});

test("the error texts of all libraries for a full device are recognised", async (t) => {
	for (const words of [
		"OOM when allocating tensor with shape[8,12]",
		"RESOURCE_EXHAUSTED: failed copying input tensor",
		"CUDA failure 2: out of memory",
		"BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 4096",
	]) {
		t.is((await splitWhenFull(tailWithCapacity(2, words), () => {}).logits(inputs)).length, 5);
	}
});

test("a single text too large for the device is an error with a hint", async (t) => {
	const tail = splitWhenFull(tailWithCapacity(0), () => {});
	await t.throwsAsync(tail.logits(inputs), {
		code: "engine",
		message: /^paper: not enough memory for a single text; expected /,
	});
});

test("any other error is thrown unchanged", async (t) => {
	const tail = splitWhenFull(tailWithCapacity(0, "wrong shape"), () => t.fail());
	await t.throwsAsync(tail.gradient(inputs, new Float32Array(1)), { message: "wrong shape" });
});
