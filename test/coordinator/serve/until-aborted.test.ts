import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { pino } from "pino";
import { InFlightCalls } from "../../../coordinator/serve/in-flight-calls.ts";
import { ServeMetrics } from "../../../coordinator/serve/metrics.ts";
import { iterateUntilAborted } from "../../../coordinator/serve/until-aborted.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Yields two items and then waits forever, as the requests of a client that is silent. */
async function* twoThenSilence(): AsyncGenerator<number> {
	yield* [1, 2];
	await new Promise(() => {});
}

test("items are yielded in order until the signal aborts, even if the next one never arrives", async (t) => {
	const controller = new AbortController();
	const found: number[] = [];
	for await (const item of iterateUntilAborted(twoThenSilence(), controller.signal)) {
		found.push(item);
		if (item === 2) setImmediate(() => controller.abort());
	}
	t.deepEqual(found, [1, 2]);
});

test("the error of the source ends the loop", async (t) => {
	const failing = (async function* (): AsyncGenerator<number> {
		yield 1;
		throw new Error("broken");
	})();
	const read = async () => {
		for await (const _ of iterateUntilAborted(failing, new AbortController().signal));
	};
	await t.throwsAsync(read(), { message: "broken" });
});

test("items that were read aren't kept in memory while the stream is open", async (t) => {
	const items: WeakRef<object>[] = [];
	const source = (async function* () {
		for (let i = 0; i < 10; i++) {
			const item = {};
			items.push(new WeakRef(item));
			yield item;
		}
	})();
	const stream = iterateUntilAborted(source, new AbortController().signal);
	for (let i = 0; i < 10; i++) await stream.next();
	await turn();
	collectGarbage();
	t.deepEqual(
		items.slice(0, 8).map((item) => item.deref()),
		Array(8).fill(undefined),
	);
	t.true((await stream.next()).done);
});

test("many streams are open at the same time without a warning of Node", async (t) => {
	const warnings: string[] = [];
	const warn = ({ message }: Error) => warnings.push(message);
	process.on("warning", warn);
	t.teardown(() => process.off("warning", warn));
	const calls = new InFlightCalls(new ServeMetrics(() => []), pino({ level: "silent" }));
	const streams = Array.from({ length: 20 }, () => iterateUntilAborted(twoThenSilence(), calls.draining));
	const reads = streams.map(async (stream) => {
		for await (const _ of stream);
	});
	await turn();
	await calls.drain(0);
	await Promise.all(reads);
	await turn();
	t.deepEqual(warnings, []);
});
