import test from "ava";
import { NOTICE_AFTER_MS } from "../../shared/deadlines.ts";
import { describeNotice, type Notice, Notices } from "../../shared/notices.ts";
import { VirtualClock } from "./bus/virtual-clock.ts";

function setUp() {
	const clock = new VirtualClock();
	const told: Notice[] = [];
	const notices = new Notices((notice) => told.push(notice), { clock, now: () => clock.now });
	return { clock, notices, lines: () => told.splice(0).map(describeNotice), told };
}

test("what holds several parts up is reported once, and is over when the last of them goes on", async (t) => {
	const { clock, notices, told } = setUp();
	const [one, another] = [notices.hold(), notices.hold()];
	one.begin("no-answer", "NATS is silent");
	await clock.advance(NOTICE_AFTER_MS / 2);
	another.begin("no-answer", "NATS is silent");
	t.deepEqual(told, []);
	await clock.advance(NOTICE_AFTER_MS / 2);
	t.true(notices.isHeldUp);
	one.end();
	await clock.advance(NOTICE_AFTER_MS);
	t.true(notices.isHeldUp);
	another.end();
	another.end();
	t.false(notices.isHeldUp);
	const what = { kind: "no-answer", text: "NATS is silent" };
	t.deepEqual(told, [
		{ ...what, state: "begun", seconds: NOTICE_AFTER_MS / 1000 },
		{ ...what, state: "over", seconds: (2 * NOTICE_AFTER_MS) / 1000 },
	]);
	t.is(clock.pending, 0);
});

test("what is over soon is not reported, what is urgent is at once, and a hold has one cause at a time", async (t) => {
	const { clock, notices, lines } = setUp();
	const hold = notices.hold();
	hold.begin("connection", "short");
	await clock.advance(NOTICE_AFTER_MS - 1);
	hold.begin("no-workers", "urgent", 0);
	hold.begin("no-workers", "urgent", 0);
	await clock.advance(60_000);
	t.deepEqual(lines(), ["urgent"]);
	hold.end();
	t.deepEqual(lines(), ["over after 60 s: urgent"]);
});

test("whoever waits hears of what lasts already and of what begins, until it doesn't want to any more", async (t) => {
	const { notices } = setUp();
	notices.hold().begin("store-full", "full", 0);
	let calls = 0;
	const stop = notices.onHeldUp(() => calls++);
	t.is(calls, 1);
	notices.hold().begin("connection", "lost", 0);
	t.is(calls, 2);
	stop();
	notices.hold().begin("retrying", "again", 0);
	t.is(calls, 2);
});
