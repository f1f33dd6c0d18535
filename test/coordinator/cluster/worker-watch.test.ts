import test from "ava";
import type { LeaveReason } from "../../../coordinator/cluster/dispatcher.ts";
import { WorkerWatch } from "../../../coordinator/cluster/worker-watch.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { createTerminal } from "../../../coordinator/terminal/create-terminal.ts";
import { Notices } from "../../../shared/notices.ts";
import { someWorker } from "../../shared/bus/messages.ts";
import { VirtualClock } from "../../shared/bus/virtual-clock.ts";
import { FakeStream } from "../terminal/fake-stream.ts";

function setUp() {
	const stream = new FakeStream();
	const clock = new VirtualClock();
	const events = new RunEvents();
	const changes: string[] = [];
	const show = createTerminal({ stream });
	events.listen((event) => {
		if (event.event.startsWith("worker-")) changes.push(event.event);
		else show(event);
	});
	const notices = new Notices((notice) => events.emit({ event: "notice", ...notice }), { clock, now: () => clock.now });
	const watch = new WorkerWatch(2, events, notices);
	const change = (type: "joined" | "left", workerId: string, version = "1.0", reason: LeaveReason = "no-heartbeat") =>
		watch.report({ type, reason, worker: { ...someWorker(workerId), version }, shards: new Map() });
	return { stream, clock, watch, change, changes };
}

test("a run reports that there are no workers: at the start after some time, later at once, and when it is over", async (t) => {
	const { stream, clock, change, watch } = setUp();
	await clock.advance(1900);
	t.deepEqual(stream.lines, []);
	await clock.advance(3100);
	change("joined", "a");
	change("joined", "b");
	change("left", "a");
	await clock.advance(60_000);
	change("left", "b");
	watch.end();
	t.deepEqual(stream.lines, [
		"warning: no workers: waiting for one to join",
		"over after 5 s: no workers: waiting for one to join",
		"warning: no workers: waiting for one to join",
		"over after 1 s: no workers: waiting for one to join",
	]);
});

test("each change of a worker is an event: suspended if it can come back, otherwise left", (t) => {
	const { change, changes } = setUp();
	change("joined", "a");
	for (const reason of ["shut-down", "no-heartbeat", "disconnected", "failing", "idle"] as const) {
		change("left", "a", "1.0", reason);
	}
	const suspended = Array.from({ length: 3 }, () => "worker-suspended");
	t.deepEqual(changes, ["worker-joined", "worker-left", "worker-left", ...suspended]);
});
