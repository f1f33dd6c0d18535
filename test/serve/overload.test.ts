import test from "ava";
import { createGrpcSend, runClosedLoop } from "../bench/serve-load.ts";
import { makeRun } from "./run-folder.ts";
import { connect, startServer } from "./server.ts";

const text = "word ".repeat(120);

// Throughput during overload depends on the machine: npm run bench -- serve measures it.
test("calls are refused when the queue is full, the others are answered, and the queue is empty afterwards", async (t) => {
	const limits = ["--max-batch", "4", "--max-queue", "8", "--log-level", "info"];
	const server = await startServer(t, await makeRun(), limits);
	const send = createGrpcSend(await connect(t, server.address));
	const memoryOf = async () => {
		const metrics = await (await fetch(`${server.url}/metrics`)).text();
		return Number(/process_resident_memory_bytes (\d+)/.exec(metrics)?.[1]);
	};
	await runClosedLoop(send, [text], 400, 6000);
	const before = await memoryOf();
	const overload = await runClosedLoop(send, [text], 400, 6000);
	t.true(overload.refused > 400, JSON.stringify(overload));
	t.true(overload.answered > 100, JSON.stringify(overload));
	// The queue is bounded, so memory is bounded too, however many calls arrive.
	const grownMiB = ((await memoryOf()) - before) / 2 ** 20;
	t.true(grownMiB < 128, `${grownMiB} MiB`);
	const queued = /tailtune_queue_texts (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text());
	t.is(queued?.[1], "0");
	const after = await runClosedLoop(send, [text], 1, 3);
	t.is(after.answered, 3);
});
