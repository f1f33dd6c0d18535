import test from "ava";
import { createMemoryBus } from "../../../coordinator/cluster/memory-bus.ts";
import { busConformance } from "../../shared/bus/conformance.ts";
import { someItem, someRun, someWorker } from "../../shared/bus/messages.ts";
import { VirtualClock } from "../../shared/bus/virtual-clock.ts";

const never = new AbortController().signal;
const timing = { ackWaitMs: 2000, heartbeatLimitMs: 5000 };

busConformance(
	test,
	async () => {
		const clock = new VirtualClock();
		const bus = createMemoryBus({ timing, clock });
		return { bus, advance: (ms) => clock.advance(ms), isLate: () => false };
	},
	{ propertyRuns: 300 },
);

test("the two sides share no objects", async (t) => {
	const bus = createMemoryBus();
	const item = someItem();
	await bus.announce(someRun());
	await bus.publish(item, never);
	item.sequences[0]?.tokens.push(99);
	for await (const delivery of bus.pull("run", 0, new AbortController().signal)) {
		t.deepEqual(delivery.item, someItem());
		break;
	}
});

test("by default nothing expires", async (t) => {
	const clock = new VirtualClock();
	const bus = createMemoryBus({ clock });
	await bus.announce(someRun());
	await bus.join(someWorker("idle"));
	await bus.publish(someItem(), never);
	await bus.pull("run", 0, new AbortController().signal)[Symbol.asyncIterator]().next();
	t.is(clock.pending, 0);
});

test("a closed bus leaves no timers behind", async (t) => {
	const clock = new VirtualClock();
	const bus = createMemoryBus({ timing, clock });
	await bus.announce(someRun());
	await bus.join(someWorker("idle"));
	await bus.publish(someItem(), never);
	await bus.pull("run", 0, new AbortController().signal)[Symbol.asyncIterator]().next();
	t.is(clock.pending, 2);
	await bus.close();
	t.is(clock.pending, 0);
});
