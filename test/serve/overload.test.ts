import test from "ava";
import { closedLoop, openLoop, sendGrpc } from "../bench/serve-load.ts";
import { makeRun } from "./run-folder.ts";
import { connect, startServer } from "./server.ts";

const text = "word ".repeat(120);

test("at four times what it can do, what can't be taken is refused at once, and what was taken is answered soon", async (t) => {
	const limits = ["--max-batch", "8", "--max-wait-ms", "150", "--log-level", "info"];
	const server = await startServer(t, await makeRun(), limits);
	const send = sendGrpc(await connect(t, server.address));
	const memoryOf = async () => {
		const metrics = await (await fetch(`${server.url}/metrics`)).text();
		return Number(/process_resident_memory_bytes (\d+)/.exec(metrics)?.[1]);
	};
	await closedLoop(send, [text], 8, 24);
	const normal = await closedLoop(send, [text], 8, 40);
	await openLoop(send, [text], 4 * normal.perSecond, 2);
	const before = await memoryOf();
	const overload = await openLoop(send, [text], 4 * normal.perSecond, 4);
	t.true(overload.refused > overload.answered, JSON.stringify(overload));
	t.true(overload.answered > 0);
	// Nothing waits beyond the limit, whatever comes: what is in the queue is bounded, and so is memory.
	const grownMiB = ((await memoryOf()) - before) / 2 ** 20;
	t.true(grownMiB < 64, `${grownMiB} MiB`);
	const queued = /tailtune_queue_texts (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text());
	t.is(queued?.[1], "0");
	const after = await closedLoop(send, [text], 1, 3);
	t.is(after.answered, 3);
});
