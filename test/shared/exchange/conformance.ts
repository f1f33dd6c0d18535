import type { ExecutionContext, TestFn } from "ava";
import type { CoordinatorTensors, WorkerTensors } from "../../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../../shared/exchange/tensor-schema.ts";
import { someResult } from "../bus/messages.ts";
import { ReceivedAnswers } from "./received-answers.ts";

/** Both sides of a new exchange. */
export interface TensorsUnderTest {
	readonly coordinator: CoordinatorTensors;
	readonly worker: WorkerTensors;
	close(): Promise<void>;
}

/** A run that is open on both sides. */
interface OpenRun extends TensorsUnderTest {
	readonly received: ReceivedAnswers;
}

/** The schema of a run with `size` parameters, all of them trained, whose gradients are dense. */
export function someSchema(size: number): TensorSchema {
	const dense = [{ name: "all", offset: 0, size }];
	const form = { dense, factors: [], decayGroups: [], trainedSize: size, denseSize: size, factorSize: 0 };
	return { hash: `schema of ${size}`, parameters: size, form, factorTexts: 0 };
}

type Case = readonly [
	title: string,
	schema: TensorSchema,
	body: (t: ExecutionContext, under: OpenRun) => Promise<void>,
];

/** Tests of an exchange with run "run" open on both sides. */
const CASES: readonly Case[] = [
	[
		"the current state is read until it is dropped",
		someSchema(2),
		async (t, { coordinator, worker }) => {
			await coordinator.publishState("run", 3, { parameters: Float32Array.of(3, 0.1) });
			t.deepEqual(await worker.parameters("run", 3), Float32Array.of(3, 0.1));
			await t.throwsAsync(worker.parameters("run", 2), { code: "protocol", message: /version 2/ });
			await coordinator.dropState("run", 3);
			await t.throwsAsync(worker.parameters("run", 4), { code: "protocol", message: /version 4/ });
			await coordinator.publishState("run", 4, { parameters: Float32Array.of(4, 0.2) });
			t.deepEqual(await worker.parameters("run", 4), Float32Array.of(4, 0.2));
			await t.throwsAsync(worker.parameters("other", 4), { code: "protocol", message: /run other/ });
		},
	],

	[
		"an answer arrives with its result, its logits and its tensor",
		someSchema(2),
		async (t, { worker, received }) => {
			const failure = { code: "engine", message: "out of memory", ofWorker: true, fault: 2 };
			await worker.putAnswer({ result: someResult({ serial: 1 }), logits: [] });
			await worker.putAnswer({ result: someResult({ serial: 2 }), logits: [0.5, -1.25] });
			await put(worker, 3, [1, 0.5], [7, 8, 9]);
			await worker.putAnswer({ result: someResult({ serial: 4, failure }), logits: [] });
			const tensors = [undefined, undefined, Float32Array.of(1, 0.5), undefined];
			t.deepEqual(received.tensors, tensors);
			t.deepEqual(
				received.answers.map(({ result, logits }) => [result, logits]),
				[
					[someResult({ serial: 1 }), []],
					[someResult({ serial: 2 }), [0.5, -1.25]],
					[someResult({ serial: 3 }), [7, 8, 9]],
					[someResult({ serial: 4, failure }), []],
				],
			);
		},
	],

	[
		"a second answer to an item is accepted and not counted",
		someSchema(1),
		async (t, { worker, received }) => {
			await put(worker, 1, [5]);
			await put(worker, 1, [6]);
			t.deepEqual(received.tensors, [Float32Array.of(5)]);
		},
	],

	[
		"an answer that the coordinator refuses is reported to the worker",
		someSchema(2),
		async (t, { worker, received }) => {
			await t.throwsAsync(put(worker, 1, [1, 2, 3]), { code: "protocol", message: /3 numbers, expected 2/ });
			t.deepEqual(received.answers, []);
			await put(worker, 1, [1, 2]);
			t.is(received.answers.length, 1);
		},
	],

	[
		"a returned array is used again",
		someSchema(1),
		async (t, { coordinator, worker, received }) => {
			const arrays = new Set<unknown>();
			for (const serial of [1, 2, 3, 4]) {
				await put(worker, serial, [serial]);
				const tensor = received.answers.at(-1)?.tensor;
				t.deepEqual(tensor, Float32Array.of(serial));
				arrays.add(tensor);
				coordinator.lendGradientBuffers("run", [tensor as Float32Array]);
			}
			t.is(arrays.size, 1);
		},
	],

	[
		"a version published again after it was dropped is readable again",
		someSchema(1),
		async (t, { coordinator, worker }) => {
			for (const _ of [1, 2]) {
				await coordinator.publishState("run", 3, { parameters: Float32Array.of(7) });
				t.deepEqual(await worker.parameters("run", 3), Float32Array.of(7));
				await coordinator.dropState("run", 3);
			}
		},
	],

	[
		"a run open with one schema is not opened with another",
		someSchema(1),
		async (t, { coordinator, worker, received }) => {
			const another = { code: "protocol", message: /run run is open/ } as const;
			t.notThrows(() => coordinator.openRun("run", someSchema(1), received));
			t.throws(() => coordinator.openRun("run", someSchema(2), received), another);
			t.notThrows(() => worker.openRun("run", someSchema(1)));
			t.throws(() => worker.openRun("run", someSchema(2)), another);
		},
	],

	[
		"a closed run has no parameters and counts no answers",
		someSchema(1),
		async (t, { coordinator, worker, received }) => {
			await coordinator.publishState("run", 3, { parameters: new Float32Array(1) });
			coordinator.closeRun("run");
			await t.throwsAsync(worker.parameters("run", 3), { code: "protocol", message: /run/ });
			await put(worker, 1, [1]);
			worker.closeRun("run");
			await t.throwsAsync(worker.parameters("run", 3), { code: "protocol", message: /run/ });
			await put(worker, 1, [1]);
			t.deepEqual(received.answers, []);
		},
	],

	[
		"numbers of many chunks arrive bit for bit, both ways",
		someSchema(700_001),
		async (t, under) => {
			const { coordinator, worker, received } = under;
			const numbers = Float32Array.from({ length: 700_001 }, (_, i) => Math.sin(i) * 2 ** ((i % 250) - 149));
			numbers.set([-0, 1e-45, 3.4028235e38]);
			await coordinator.publishState("run", 3, { parameters: numbers });
			t.true(sameBits(await worker.parameters("run", 3), numbers));
			// The logits of 1,000 texts and 2,000 classes: 8 MB, more than the largest message of gRPC or NATS.
			const logits = Float32Array.from({ length: 2_000_000 }, (_, i) => Math.sin(i));
			await put(worker, 1, numbers, Array.from(logits));
			const [answer] = received.answers;
			t.true(sameBits(answer?.tensor ?? new Float32Array(0), numbers));
			t.true(sameBits(Float32Array.from(answer?.logits ?? []), logits));
		},
	],
];

/** Registers the tests that every adapter of the tensor exchange must pass. */
export function tensorConformance(test: TestFn, open: () => Promise<TensorsUnderTest>): void {
	for (const [title, schema, body] of CASES) {
		test(title, async (t) => {
			const under = await open();
			const received = new ReceivedAnswers(schema.parameters);
			try {
				under.coordinator.openRun("run", schema, received);
				under.worker.openRun("run", schema);
				await body(t, { ...under, received });
			} finally {
				await under.close();
			}
		});
	}
}

async function put(worker: WorkerTensors, serial: number, numbers: ArrayLike<number>, logits: number[] = []) {
	const tensor = worker.gradientBuffer("run", numbers.length);
	tensor.set(numbers);
	await worker.putAnswer({ result: someResult({ serial }), logits, tensor });
}

/** Whether two arrays hold the same bits; -0 and 0 differ. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
	const bytes = (array: Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
	return bytes(a).equals(bytes(b));
}
