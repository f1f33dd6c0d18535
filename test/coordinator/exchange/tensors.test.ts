import test, { type ExecutionContext } from "ava";
import { someResult } from "../../shared/bus/messages.ts";
import { someSchema, tensorConformance } from "../../shared/exchange/conformance.ts";
import { openGrpcExchange } from "../../shared/exchange/grpc-exchange.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";

tensorConformance(test, openGrpcExchange);

/** A new exchange with run "run", of `size` parameters, open on both sides. */
async function openRun(t: ExecutionContext, answers: ReceivedAnswers, size: number) {
	const exchange = await openGrpcExchange();
	t.teardown(exchange.close);
	exchange.coordinator.openRun("run", someSchema(size), answers);
	exchange.worker.openRun("run", someSchema(size));
	return exchange;
}

test("a version is fetched once for any number of readers", async (t) => {
	const size = 100_000;
	const { coordinator, worker } = await openRun(t, new ReceivedAnswers(1), size);
	await coordinator.publishState("run", 3, { parameters: new Float32Array(size).fill(3) });
	const [first, second] = await Promise.all([worker.parameters("run", 3), worker.parameters("run", 3)]);
	t.is(first, second);
	const { sent } = coordinator.traffic();
	t.true(sent >= 4 * size && sent < 6 * size, `${sent} bytes were sent`);
	await coordinator.dropState("run", 3);
	t.is(await worker.parameters("run", 3), first as Float32Array);
});

test("a state with NaN is refused, and the next one is read", async (t) => {
	const { coordinator, worker } = await openRun(t, new ReceivedAnswers(1), 1);
	await coordinator.publishState("run", 3, { parameters: Float32Array.of(3) });
	await worker.parameters("run", 3);
	await coordinator.publishState("run", 4, { parameters: Float32Array.of(Number.NaN) });
	await t.throwsAsync(worker.parameters("run", 4), { code: "diverged", message: /NaN/ });
	await coordinator.publishState("run", 5, { parameters: Float32Array.of(5) });
	t.deepEqual(await worker.parameters("run", 5), Float32Array.of(5));
});

test("a worker whose parameters have another bit is refused, and reads them again", async (t) => {
	const received = new ReceivedAnswers(2, () => true, 3);
	const { coordinator, worker } = await openRun(t, received, 2);
	await coordinator.publishState("run", 3, { parameters: Float32Array.of(3, 1) });
	const wrong = await worker.parameters("run", 3);
	wrong[1] = 1 + 2 ** -23;
	const put = () => worker.putAnswer({ result: someResult(), logits: [], tensor: worker.gradientBuffer("run", 2) });
	await t.throwsAsync(put(), {
		code: "checksum",
		message: "the worker's parameters differ from the coordinator's: it reads them again",
	});
	t.deepEqual([...coordinator.refusals], [["REFUSAL_DIVERGED", 1]]);
	const right = await worker.parameters("run", 3);
	t.deepEqual(right, Float32Array.of(3, 1));
	t.not(right, wrong);
	await put();
	t.is(received.answers.length, 1);
});

test("memory that is damaged after an answer is noticed at the next one, and a failure because of it is refused", async (t) => {
	const received = new ReceivedAnswers(2, () => true, 3);
	const { coordinator, worker } = await openRun(t, received, 2);
	await coordinator.publishState("run", 3, { parameters: Float32Array.of(3, 1) });
	const failure = { code: "diverged", message: "the logits aren't finite", ofWorker: false, fault: 0 };
	const put = (serial: number, failed: typeof failure | null) =>
		worker.putAnswer({ result: someResult({ serial, failure: failed }), logits: [] });
	const damaged = await worker.parameters("run", 3);
	await put(1, null);
	damaged[1] = Number.NaN;
	await t.throwsAsync(put(2, null), { code: "checksum" });
	(await worker.parameters("run", 3))[0] = Number.NaN;
	await t.throwsAsync(put(2, failure), { code: "checksum" });
	t.deepEqual([...coordinator.refusals], [["REFUSAL_DIVERGED", 2]]);
	await worker.parameters("run", 3);
	await put(2, failure);
	t.deepEqual(
		received.answers.map(({ result }) => result.failure?.code),
		[undefined, "diverged"],
	);
});

test("after 2,000 exchanges only one gradient per side and one parameter vector are kept", async (t) => {
	const answers = new ReceivedAnswers(3);
	const { coordinator, worker } = await openRun(t, answers, 3);
	const [sent, received, taken] = [new Set(), new Set(), new Set()];
	for (let version = 0; version < 2000; version++) {
		await coordinator.publishState("run", version, { parameters: Float32Array.of(version, 1, 2) });
		received.add((await worker.parameters("run", version)).buffer);
		const gradient = worker.gradientBuffer("run", 3);
		sent.add(gradient.fill(version));
		await worker.putAnswer({ result: someResult({ serial: version }), logits: [], tensor: gradient });
		const tensor = answers.answers.pop()?.tensor ?? new Float32Array(0);
		if (tensor[2] !== version) t.fail(`version ${version}: found gradient ${tensor}`);
		taken.add(tensor);
		coordinator.lendGradientBuffers("run", [tensor]);
		await coordinator.dropState("run", version);
	}
	t.deepEqual([sent.size, received.size, taken.size], [1, 1, 1]);
	t.deepEqual(coordinator.held("run"), { states: 0, updates: 0, free: 1 });
	t.is(coordinator.uploadsUnderWay, 0);
	t.is(coordinator.refusals.size, 0);
	const shorter = worker.gradientBuffer("run", 2);
	await t.throwsAsync(worker.putAnswer({ result: someResult({ serial: 2000 }), logits: [], tensor: shorter }));
	t.true(sent.has(worker.gradientBuffer("run", 3)));
});

test("parameters of a run that isn't open, or of another size, aren't published", async (t) => {
	const { coordinator, close } = await openGrpcExchange();
	t.teardown(close);
	await t.throwsAsync(coordinator.publishState("run", 0, { parameters: new Float32Array(1) }), {
		message: /is not open/,
	});
	coordinator.openRun("run", someSchema(2), new ReceivedAnswers(2));
	await t.throwsAsync(coordinator.publishState("run", 0, { parameters: new Float32Array(1) }), {
		message: /1 parameters, expected 2/,
	});
});
