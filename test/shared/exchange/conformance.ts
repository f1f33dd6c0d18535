import type { ExecutionContext, TestFn } from "ava";
import type { CoordinatorTensors, WorkerTensors } from "../../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../../shared/exchange/tensor-schema.ts";
import { roundTo } from "../../../shared/exchange/wire-format.ts";
import { itemKey } from "../../../shared/messages.ts";

/** Both ends of a fresh exchange. */
export interface TensorsUnderTest {
	readonly coordinator: CoordinatorTensors;
	readonly worker: WorkerTensors;
	close(): Promise<void>;
}

/** The schema of a run of so many parameters, all with gradients. */
export function someSchema(size: number): TensorSchema {
	return { hash: `schema of ${size}`, parameters: size, gradients: size, wire: "f32" };
}

type Item = Parameters<WorkerTensors["putGradient"]>[1];

export const someItem: Item = { kind: "WORK_KIND_GRADIENT", parameterVersion: 3, part: 1 };
const key = itemKey(someItem);

/** Registers the tests that every adapter of the tensor exchange must pass. */
export function tensorConformance(test: TestFn, open: () => Promise<TensorsUnderTest>): void {
	/** A test on an exchange of its own with run "run" open on both sides, closed at the end. */
	const onRun = (title: string, size: number, body: (t: ExecutionContext, under: TensorsUnderTest) => Promise<void>) =>
		test(title, async (t) => {
			const under = await open();
			try {
				under.coordinator.openRun("run", someSchema(size));
				under.worker.openRun("run", someSchema(size));
				await body(t, under);
			} finally {
				await under.close();
			}
		});
	const handIn = async (worker: WorkerTensors, item: Item, numbers: number[]) => {
		const gradient = worker.gradientBuffer("run", numbers.length);
		gradient.set(numbers);
		await worker.putGradient("run", item, gradient);
	};

	onRun("a published version is read until it is dropped, others stay", 2, async (t, { coordinator, worker }) => {
		await coordinator.publishParameters("run", 3, Float32Array.of(3, 0.1));
		await coordinator.publishParameters("run", 4, Float32Array.of(4, 0.2));
		t.deepEqual(await worker.parameters("run", 3), Float32Array.of(3, 0.1));
		t.deepEqual(await worker.parameters("run", 4), Float32Array.of(4, 0.2));
		await coordinator.dropParameters("run", 3);
		await t.throwsAsync(worker.parameters("run", 3), { code: "protocol", message: /version 3/ });
		t.deepEqual(await worker.parameters("run", 4), Float32Array.of(4, 0.2));
		await t.throwsAsync(worker.parameters("other", 4), { code: "protocol", message: /run other/ });
	});

	onRun(
		"a gradient is taken once, by the run and key it was handed in under",
		2,
		async (t, { coordinator, worker }) => {
			await coordinator.publishParameters("run", 3, new Float32Array(2));
			await handIn(worker, someItem, [1, -0.3]);
			t.is(await coordinator.takeGradient("other", key), undefined);
			t.is(await coordinator.takeGradient("run", itemKey({ ...someItem, part: 2 })), undefined);
			t.deepEqual(await coordinator.takeGradient("run", key), Float32Array.of(1, -0.3));
			t.is(await coordinator.takeGradient("run", key), undefined);
		},
	);

	onRun("a gradient taken stays as it is until the next is taken", 1, async (t, { coordinator, worker }) => {
		await coordinator.publishParameters("run", 3, new Float32Array(1));
		let lent: Float32Array | undefined;
		for (const part of [0, 1, 2, 3]) {
			await handIn(worker, { ...someItem, part }, [part]);
			if (part > 0) t.deepEqual(lent, Float32Array.of(part - 1));
			lent = await coordinator.takeGradient("run", itemKey({ ...someItem, part }));
			t.deepEqual(lent, Float32Array.of(part));
		}
	});

	onRun("gradients that nobody takes are forgotten with their version, late ones dropped", 1, async (t, under) => {
		const { coordinator, worker } = under;
		await coordinator.publishParameters("run", 3, new Float32Array(1));
		await handIn(worker, someItem, [1]);
		await coordinator.dropParameters("run", 3);
		t.is(await coordinator.takeGradient("run", key), undefined);
		await handIn(worker, someItem, [1]);
		t.is(await coordinator.takeGradient("run", key), undefined);
	});

	onRun("the same gradient handed in twice is there once", 1, async (t, { coordinator, worker }) => {
		await coordinator.publishParameters("run", 3, new Float32Array(1));
		await handIn(worker, someItem, [5]);
		await handIn(worker, someItem, [5]);
		t.deepEqual(await coordinator.takeGradient("run", key), Float32Array.of(5));
		t.is(await coordinator.takeGradient("run", key), undefined);
	});

	onRun("a version published again after it was dropped is a new one", 1, async (t, { coordinator, worker }) => {
		for (const value of [1, 2]) {
			await coordinator.publishParameters("run", 3, Float32Array.of(value));
			await handIn(worker, someItem, [value]);
			t.deepEqual(await coordinator.takeGradient("run", key), Float32Array.of(value));
			await coordinator.dropParameters("run", 3);
		}
	});

	onRun("a run open with one schema is not opened with another", 1, async (t, { coordinator, worker }) => {
		for (const side of [coordinator, worker]) {
			t.notThrows(() => side.openRun("run", someSchema(1)));
			t.throws(() => side.openRun("run", someSchema(2)), { code: "protocol", message: /run run: is open/ });
		}
	});

	onRun("a run that is closed is forgotten", 1, async (t, { coordinator, worker }) => {
		await coordinator.publishParameters("run", 3, new Float32Array(1));
		await handIn(worker, someItem, [1]);
		coordinator.closeRun("run");
		t.is(await coordinator.takeGradient("run", key), undefined);
		await t.throwsAsync(worker.parameters("run", 3), { code: "protocol", message: /run/ });
		await handIn(worker, someItem, [1]);
		worker.closeRun("run");
		await t.throwsAsync(worker.parameters("run", 3), { code: "protocol", message: /run/ });
	});

	test("where a run says bfloat16, parameters and gradients arrive rounded to it, bit for bit as others are", async (t) => {
		const under = await open();
		t.teardown(() => under.close());
		const { coordinator, worker } = under;
		const numbers = Float32Array.from({ length: 1_400_001 }, (_, i) => Math.sin(i) * 2 ** ((i % 250) - 149));
		const expected = new Float32Array(numbers.length);
		roundTo("bf16", numbers, expected);
		for (const side of [coordinator, worker]) side.openRun("run", { ...someSchema(numbers.length), wire: "bf16" });
		for (const version of [3, 4]) {
			await coordinator.publishParameters("run", version, numbers);
			t.true(sameBits(await worker.parameters("run", version), expected));
			const gradient = worker.gradientBuffer("run", numbers.length);
			gradient.set(numbers);
			await worker.putGradient("run", { ...someItem, parameterVersion: version }, gradient);
			const taken = await coordinator.takeGradient("run", itemKey({ ...someItem, parameterVersion: version }));
			t.true(sameBits(taken ?? new Float32Array(0), expected));
			await coordinator.dropParameters("run", version);
		}
		t.false(sameBits(numbers, expected));
	});

	onRun("tensors of many chunks arrive bit for bit, both ways", 700_001, async (t, { coordinator, worker }) => {
		const numbers = Float32Array.from({ length: 700_001 }, (_, i) => Math.sin(i) * 2 ** ((i % 250) - 149));
		numbers.set([-0, 1e-45, 3.4028235e38]);
		await coordinator.publishParameters("run", 3, numbers);
		t.true(sameBits(await worker.parameters("run", 3), numbers));
		const gradient = worker.gradientBuffer("run", numbers.length);
		gradient.set(numbers);
		await worker.putGradient("run", someItem, gradient);
		t.true(sameBits((await coordinator.takeGradient("run", key)) ?? new Float32Array(0), numbers));
	});
}

/** Whether two arrays hold the same bits, of zeros and all. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
	const bytes = (array: Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
	return bytes(a).equals(bytes(b));
}
