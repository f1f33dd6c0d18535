import test from "ava";
import { announceRun } from "../../../coordinator/cluster/cluster.ts";
import { createMemoryBus } from "../../../coordinator/cluster/memory-bus.ts";
import { createMemoryTensors } from "../../../coordinator/exchange/memory-tensors.ts";
import type { RunChange } from "../../../shared/bus/bus.ts";
import { someRun } from "../../shared/bus/messages.ts";
import { settle } from "../../shared/bus/virtual-clock.ts";
import { fakeModel, headRun } from "../../worker/run/fake-engines.ts";

test("a resumed run retires the runs announced by its dead coordinators, and no others", async (t) => {
	const bus = createMemoryBus();
	for (const runId of ["older", "old", "somebody else's"]) await bus.announce(someRun({ runId }));
	const tail = headRun.tail as NonNullable<typeof headRun.tail>;
	const precision = { trunkPrecision: "fp32" } as const;
	const run = { runId: "new", model: fakeModel, modelHash: "", tail, shards: 1, ...precision };
	const engine = { engine: "auto", backend: "auto" } as const;
	const { dispatcher } = await announceRun(
		bus,
		createMemoryTensors(),
		{ ...run, engine, abandoned: ["older", "old", "never announced"] },
		"",
	);
	const ended = new AbortController();
	const events: RunChange[] = [];
	void (async () => {
		for await (const event of bus.watchRuns(ended.signal)) events.push(event);
	})();
	await settle();
	ended.abort();
	t.deepEqual(
		events.map((event) => event.type === "announced" && event.run.runId),
		["somebody else's", "new"],
	);
	await dispatcher.stop();
});
