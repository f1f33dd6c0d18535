import { once } from "node:events";
import test from "ava";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import type { RunEvent } from "../../../coordinator/events/schemas.ts";

/** Events whose clock the test moves, and what a listener heard. */
function setUp() {
	const clock = { ms: 0 };
	const events = new RunEvents(() => clock.ms);
	const heard: RunEvent[] = [];
	events.listen((event) => heard.push(event));
	return { clock, events, heard, names: () => heard.map(({ event }) => event) };
}

const textsOf = (events: readonly RunEvent[]) => events.map((event) => ("text" in event ? event.text : event.event));

test("several listeners hear every event, in order, until they are removed", (t) => {
	const events = new RunEvents();
	const heard: string[] = [];
	const stop = events.listen((event) => heard.push(`first ${event.event}`));
	events.listen((event) => heard.push(`second ${event.event}`));
	events.line("a");
	stop();
	events.warn("b");
	t.deepEqual(heard, ["first line", "second line", "second warning"]);
});

test.serial(
	"a listener that throws or rejects is reported once and harms neither the run nor the others",
	async (t) => {
		const { events, heard } = setUp();
		const warned = once(process, "warning");
		const warnings: Error[] = [];
		const count = (warning: Error) => warnings.push(warning);
		process.on("warning", count);
		t.teardown(() => process.off("warning", count));
		let calls = 0;
		events.listen(() => {
			calls++;
			throw new Error("no screen");
		});
		for (const text of ["a", "b"]) t.notThrows(() => events.line(text));
		t.is(calls, 2);
		t.deepEqual(textsOf(heard), ["a", "b"]);
		const [warning] = await warned;
		t.is(warning.message, "a listener of the run's events failed: no screen");
		const rejected = once(process, "warning");
		events.listen(() => Promise.reject(new Error("no network")));
		events.line("c");
		t.regex((await rejected)[0].message, /no network/);
		t.is(warnings.length, 2);
	},
);

test("the run doesn't wait for a slow listener, which gets later events in order, and of progress the newest", async (t) => {
	const { events } = setUp();
	const heard: RunEvent[] = [];
	let release = () => {};
	events.listen((event) => {
		heard.push(event);
		return new Promise<void>((resolve) => {
			release = resolve;
		});
	});
	events.line("a");
	const phase = events.phase("training", 9, "steps");
	for (let step = 0; step < 9; step++) phase.advance(1);
	events.line("b");
	t.deepEqual(textsOf(heard), ["a"]);
	for (let i = 0; i < 3; i++) {
		release();
		await new Promise(setImmediate);
	}
	t.deepEqual(textsOf(heard), ["a", "phase", "progress", "b"]);
	t.like(heard[2], { done: 9 });
});

test("at most 1,000 events wait for a listener: the oldest are dropped", async (t) => {
	const { events } = setUp();
	const heard: RunEvent[] = [];
	let release = () => {};
	const blocked = new Promise<void>((resolve) => {
		release = resolve;
	});
	events.listen((event) => {
		heard.push(event);
		return heard.length === 1 ? blocked : undefined;
	});
	for (let i = 0; i <= 1500; i++) events.line(String(i));
	release();
	await new Promise(setImmediate);
	t.is(heard.length, 1001);
	t.deepEqual(textsOf([...heard.slice(0, 2), ...heard.slice(-1)]), ["0", "501", "1500"]);
});

test("the time that is left isn't estimated from less than 2 % of the work, or only after ten seconds", (t) => {
	const { clock, events, heard } = setUp();
	const phase = events.phase("features", 1000, "tokens", 500);
	for (const [ms, units] of [
		[2000, 9],
		[3000, 1],
	] as const) {
		clock.ms = ms;
		phase.advance(units);
	}
	const slow = events.phase("features", 1000, "tokens");
	clock.ms = 13_000;
	slow.advance(1);
	const left = heard.flatMap((event) => (event.event === "progress" ? [event.secondsLeft] : []));
	t.deepEqual(left, [undefined, 147, 9990]);
});

test("a phase reports units, time and, after a second, the time that is left", (t) => {
	const { clock, events, heard } = setUp();
	const phase = events.phase("training", 100, "steps", 20);
	clock.ms = 500;
	phase.advance(10);
	clock.ms = 2000;
	phase.advance(30);
	phase.done();
	const units = { name: "training", total: 100, unit: "steps" };
	t.deepEqual(heard, [
		{ event: "phase", ...units, done: 20 },
		{ event: "progress", ...units, done: 30, seconds: 0.5 },
		{ event: "progress", ...units, done: 60, seconds: 2, secondsLeft: 2 },
		{ event: "phase-done", ...units, done: 60, seconds: 2 },
	]);
});

test("a download begins at what was there, a complete file is none, and one that failed ends with the next phase", (t) => {
	const { events, heard, names } = setUp();
	events.download("complete")(5, 5);
	t.deepEqual(heard, []);
	const whole = events.download("whole");
	whole(2, 5);
	whole(5, 5);
	t.deepEqual(names(), ["phase", "progress", "progress", "phase-done"]);
	t.like(heard[0], { name: "whole", done: 2, total: 5, unit: "bytes" });
	events.download("broken")(1, 5);
	events.phase("features", 1, "tokens");
	events.phase("training", 1, "steps");
	t.deepEqual(names().slice(4), ["phase", "progress", "phase-failed", "phase", "phase"]);
	t.like(heard[6], { event: "phase-failed", name: "broken", done: 1 });
});
