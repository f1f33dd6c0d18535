import test from "ava";
import { Dispatcher } from "../../../coordinator/cluster/dispatcher.ts";
import { createMemoryBus } from "../../../coordinator/cluster/memory-bus.ts";
import type { Bus } from "../../../shared/bus/bus.ts";
import type { NewItem } from "../../../shared/messages.ts";
import { Notices } from "../../../shared/notices.ts";
import { repeatEvery } from "../../../worker/run/repeat-every.ts";
import { someAnswer, someItem, someRun, someWorker } from "../../shared/bus/messages.ts";
import { VirtualClock } from "../../shared/bus/virtual-clock.ts";

const never = new AbortController().signal;
const everyMs = 1000;

const look = (shard: number): NewItem => {
	const { serial: _, ...item } = someItem({ kind: "WORK_KIND_EVALUATE", shard });
	return item;
};

/** A run of two shards on a bus, and its notices and changes. */
async function begin() {
	const clock = new VirtualClock();
	const bus = createMemoryBus({ timing: { ackWaitMs: 5000, heartbeatLimitMs: 5000 }, clock });
	const told: string[] = [];
	const notices = new Notices(({ state, text }) => void told.push(`${state}: ${text}`));
	const dispatcher = new Dispatcher(bus, someRun(), {
		...{ clock, now: () => clock.now, notices },
		onWorkers: (change) => void told.push(`${change.worker.workerId} ${change.type}`),
	});
	await dispatcher.start();
	const join = async (workerId: string) => {
		const { beat } = await bus.join(someWorker(workerId));
		repeatEvery(clock, everyMs, beat, () => {});
		await clock.advance(0);
	};
	const answers = async () => {
		const serials: number[] = [];
		for await (const { result } of dispatcher.execute([look(0), look(1)])) serials.push(result.serial);
		return serials;
	};
	return { clock, bus, told, notices, dispatcher, join, answers };
}

/** Serves the shards that are assigned to a worker; each item takes some time, with heartbeats. */
async function serve(
	bus: Bus,
	{ clock, dispatcher }: Pick<Awaited<ReturnType<typeof begin>>, "clock" | "dispatcher">,
	workerId: string,
	itemMs: number,
): Promise<void> {
	for await (const { shard, workerId: holder } of bus.watchAssignments("run", never)) {
		if (holder !== workerId) continue;
		const serveShard = async () => {
			for await (const { item, working, ack } of bus.pull("run", shard, never)) {
				const end = repeatEvery(clock, everyMs, working, () => {});
				await new Promise<void>((resolve) => clock.schedule(resolve, itemMs));
				end();
				dispatcher.accept(someAnswer({ serial: item.serial, workerId }));
				await ack();
			}
		};
		void serveShard();
	}
}

test("a connected worker that takes no items loses its shard to another one, also if that computes for long", async (t) => {
	const { clock, bus, told, notices, dispatcher, join, answers } = await begin();
	await join("idle");
	await join("slow");
	t.deepEqual(dispatcher.holders, ["idle", "slow"]);
	void serve(bus, { clock, dispatcher }, "slow", 60_000);
	const done = answers();
	told.length = 0;
	await clock.advance(5000);
	t.deepEqual(told, ["begun: worker idle takes no items of shard 0"]);
	await clock.advance(10_000);
	t.deepEqual(dispatcher.holders, ["slow", "slow"]);
	t.deepEqual(told.slice(1), ["over: worker idle takes no items of shard 0", "idle left"]);
	await clock.advance(120_000);
	t.deepEqual(await done, [1, 2]);
	t.false(notices.isHeldUp);
	await dispatcher.stop();
});

/** A bus that loses the first assignments. */
function losing(bus: Bus, count: number): Bus {
	return {
		...bus,
		pull: (...args) => bus.pull(...args),
		async *watchAssignments(runId, signal) {
			let heard = 0;
			for await (const assignment of bus.watchAssignments(runId, signal)) if (++heard > count) yield assignment;
		},
	};
}

test("a single worker that didn't receive its assignments gets them again", async (t) => {
	const { clock, bus, dispatcher, join, answers } = await begin();
	await join("deaf");
	void serve(losing(bus, 2), { clock, dispatcher }, "deaf", 10);
	const done = answers();
	await clock.advance(60_000);
	t.deepEqual(await done, [1, 2]);
	await dispatcher.stop();
});
