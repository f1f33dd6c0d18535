import { setMaxListeners } from "node:events";
import test from "ava";
import type { Prediction } from "../../../coordinator/classify/classifier.ts";
import { Batcher } from "../../../coordinator/serve/batcher.ts";
import { WorkerSlots } from "../../../coordinator/serve/worker-slots.ts";
import { settle, VirtualClock } from "../../shared/bus/virtual-clock.ts";

const never = new AbortController().signal;
setMaxListeners(0, never);
const text = (length: number) => new Uint32Array(length);

/** A batcher with one worker whose batches end by a call of `end`. */
function setUp(limits: Partial<{ maxBatch: number; maxDelayMs: number; maxQueue: number; maxWaitMs: number }> = {}) {
	const clock = new VirtualClock();
	const batches: { readonly lengths: readonly number[]; readonly end: (error?: Error) => void }[] = [];
	const time = { ms: 0 };
	const batcher = new Batcher({
		compute: (tokens) =>
			new Promise((resolve, reject) => {
				const lengths = tokens.map(({ length }) => length);
				const answers = lengths.map((length) => ({ label: 0, tokens: length }) as Prediction);
				batches.push({ lengths, end: (error) => (error ? reject(error) : resolve(answers)) });
			}),
		slots: new WorkerSlots(() => ["worker", "worker"]),
		limits: { maxBatch: 4, maxDelayMs: 5, maxQueue: 8, maxWaitMs: 1000, ...limits },
		clock,
		now: () => time.ms,
	});
	const advance = async (ms: number) => {
		time.ms += ms;
		await clock.advance(ms);
	};
	const lengthsOf = () => batches.map(({ lengths }) => lengths);
	return { batcher, batches, lengthsOf, advance };
}

test("texts that arrive one by one while the worker is free are sent at once", async (t) => {
	const { batcher, batches, lengthsOf } = setUp();
	for (const length of [3, 4, 5]) {
		const answer = batcher.ask(text(length), never);
		t.is(batches.at(-1)?.lengths[0], length);
		batches.at(-1)?.end();
		t.is((await answer).tokens, length);
		await settle();
	}
	t.deepEqual(lengthsOf(), [[3], [4], [5]]);
});

test("texts that arrive while the worker is busy are computed together, each with its own answer", async (t) => {
	const { batcher, batches, lengthsOf } = setUp();
	const answers = [3, 4, 5, 6].map((length) => batcher.ask(text(length), never));
	t.deepEqual(lengthsOf(), [[3]]);
	batches[0]?.end();
	await settle();
	t.deepEqual(lengthsOf(), [[3], [4, 5, 6]]);
	batches[1]?.end();
	t.deepEqual(
		(await Promise.all(answers)).map(({ tokens }) => tokens),
		[3, 4, 5, 6],
	);
});

test("the first text after a batch of several waits for others, but not longer than the delay", async (t) => {
	const { batcher, batches, lengthsOf, advance } = setUp();
	const burst = [1, 2, 2].map((length) => batcher.ask(text(length), never));
	batches[0]?.end();
	await settle();
	batches[1]?.end();
	await Promise.all(burst);
	await settle();
	const late = batcher.ask(text(7), never);
	await advance(4);
	t.is(batches.length, 2, "others may still come");
	await advance(1);
	t.deepEqual(lengthsOf()[2], [7]);
	batches[2]?.end();
	await late;
	await settle();
	const alone = batcher.ask(text(8), never);
	t.deepEqual(lengthsOf()[3], [8], "nobody came with the one before");
	batches[3]?.end();
	await alone;
});

test("a group as large as the batch before doesn't wait for more texts", async (t) => {
	const { batcher, batches, lengthsOf } = setUp();
	const burst = [1, 2, 2].map((length) => batcher.ask(text(length), never));
	batches[0]?.end();
	await settle();
	batches[1]?.end();
	await Promise.all(burst);
	await settle();
	const next = [6, 6].map((length) => batcher.ask(text(length), never));
	t.deepEqual(lengthsOf()[2], [6, 6]);
	batches[2]?.end();
	await Promise.all(next);
});

test("only a full batch is sent to a busy worker", async (t) => {
	const { batcher, batches, lengthsOf } = setUp();
	const answers = [1, 2, 2, 2].map((length) => batcher.ask(text(length), never));
	t.is(batches.length, 1);
	answers.push(batcher.ask(text(2), never));
	t.deepEqual(lengthsOf(), [[1], [2, 2, 2, 2]]);
	for (const { end } of batches) end();
	t.is((await Promise.all(answers)).length, 5);
});

test("when the queue is full a text is refused at once, and the queued ones are answered", async (t) => {
	const { batcher, batches } = setUp({ maxBatch: 100, maxQueue: 2 });
	const taken = [1, 2, 3].map((length) => batcher.ask(text(length), never));
	t.throws(() => batcher.ask(text(4), never), { code: "busy", message: /2 texts are waiting/ });
	batches[0]?.end();
	await settle();
	batches[1]?.end();
	t.is((await Promise.all(taken)).length, 3);
});

test("a text is refused if it would wait too long, estimated from the latest batches", async (t) => {
	const { batcher, batches, advance } = setUp({ maxBatch: 1, maxWaitMs: 100 });
	const first = batcher.ask(text(10), never);
	await advance(50); // 5 ms per token
	batches[0]?.end();
	await first;
	await settle();
	const taken = [batcher.ask(text(20), never), batcher.ask(text(1), never)];
	t.throws(() => batcher.ask(text(1), never), { code: "busy", message: /about 105 ms, more than 100/ });
	batches[1]?.end();
	await settle();
	batches[2]?.end();
	await Promise.all(taken);
});

test("batches of one text don't affect the estimate, so a burst after one is accepted", async (t) => {
	const { batcher, batches, advance } = setUp({ maxWaitMs: 100 });
	const first = batcher.ask(text(1), never);
	await advance(90);
	batches[0]?.end();
	await first;
	await settle();
	const burst = Array.from({ length: 6 }, () => batcher.ask(text(10), never));
	for (let done = 1; done < batches.length; done++) {
		batches[done]?.end();
		await settle();
		await advance(5);
	}
	t.is((await Promise.all(burst)).length, 6);
});

test("a text whose caller cancelled before its batch is not computed", async (t) => {
	const { batcher, batches, lengthsOf } = setUp();
	const caller = new AbortController();
	const first = batcher.ask(text(1), never);
	const dropped = batcher.ask(text(2), caller.signal);
	const kept = batcher.ask(text(3), never);
	caller.abort();
	await t.throwsAsync(dropped, { code: "interrupted" });
	t.is(batcher.queued, 1);
	batches[0]?.end();
	await settle();
	t.deepEqual(lengthsOf()[1], [3]);
	batches[1]?.end();
	await Promise.all([first, kept]);
	await t.throwsAsync(async () => batcher.ask(text(1), caller.signal), { code: "interrupted" });
});

test("patient texts use at most half of the queue, and all are answered in the end", async (t) => {
	const { batcher, batches } = setUp({ maxBatch: 2, maxQueue: 4, maxDelayMs: 0 });
	const patient = Array.from({ length: 8 }, () => batcher.askPatiently(text(1), never));
	const others = Array.from({ length: 2 }, () => batcher.ask(text(1), never));
	t.throws(() => batcher.ask(text(1), never), { code: "busy" });
	for (let done = 0; done < batches.length; done++) {
		batches[done]?.end();
		await settle();
	}
	t.is((await Promise.all([...patient, ...others])).length, 10);
});

test("all texts of a failed batch fail, and the next batch is sent", async (t) => {
	const { batcher, batches, lengthsOf } = setUp();
	const failed = batcher.ask(text(1), never);
	const next = batcher.ask(text(2), never);
	batches[0]?.end(new Error("broken"));
	await t.throwsAsync(failed, { message: "broken" });
	await settle();
	t.deepEqual(lengthsOf()[1], [2]);
	batches[1]?.end();
	t.is((await next).tokens, 2);
});
