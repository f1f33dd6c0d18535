import test from "ava";
import type { Tail, TailInput } from "../../../worker/engine/engine.ts";
import { splitWhenFull } from "../../../worker/engine/split-when-full.ts";
import { info } from "../run/fake-engines.ts";

/** Texts whose logit and gradient are their label; a device that holds so many of them. */
function tailWithRoomFor(room: number, error = "OOM when allocating tensor with shape[8,12]"): Tail {
	const logits = async (inputs: readonly TailInput[]) => {
		if (inputs.length > room) throw new Error(error);
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

test("what a device has no room for is computed in parts, to the same mean gradient, and told once", async (t) => {
	for (const room of [1, 2, 3]) {
		const told: string[] = [];
		const tail = splitWhenFull(tailWithRoomFor(room), (line) => told.push(line));
		const gradient = new Float32Array(2).fill(Number.NaN);
		t.deepEqual([...(await tail.gradient(inputs, gradient))], [3, 1, 4, 1, 6]);
		t.true(gradient.every((value) => Math.abs(value - 3) < 1e-6));
		t.deepEqual([...(await tail.logits(inputs))], [3, 1, 4, 1, 6]);
		t.deepEqual(told, ["paper: no memory for 5 texts at once: they are computed in halves"]);
	}
});

test("every library's words for a full device are known", async (t) => {
	for (const words of [
		"OOM when allocating tensor with shape[8,12]",
		"RESOURCE_EXHAUSTED: failed copying input tensor",
		"CUDA failure 2: out of memory",
		"BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 4096",
	]) {
		t.is((await splitWhenFull(tailWithRoomFor(2, words), () => {}).logits(inputs)).length, 5);
	}
});

test("a single text that a device has no room for is an error that says what to do", async (t) => {
	const tail = splitWhenFull(tailWithRoomFor(0), () => {});
	await t.throwsAsync(tail.logits(inputs), {
		code: "engine",
		message: /^paper: no memory for a single text; expected /,
	});
});

test("any other fault stays what it is", async (t) => {
	const tail = splitWhenFull(tailWithRoomFor(0, "wrong shape"), () => t.fail());
	await t.throwsAsync(tail.gradient(inputs, new Float32Array(1)), { message: "wrong shape" });
});
