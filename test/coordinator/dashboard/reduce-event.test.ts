import test from "ava";
import { ADVICE, ADVICE_FOR_LOCAL_WORKERS } from "../../../coordinator/dashboard/advice.ts";
import { type DashboardState, INITIAL_STATE } from "../../../coordinator/dashboard/dashboard-state.ts";
import { reduceEvent, runHead } from "../../../coordinator/dashboard/reduce-event.ts";
import { changesBetween, type StateChanges, wholeState } from "../../../coordinator/dashboard/state-changes.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { sampleMetrics } from "../run-folder/sample-run.ts";
import { emitStart, emitStep, emitWorkers } from "./events.ts";

type PageState = StateChanges & { readonly curves: Readonly<Record<string, readonly unknown[]>> };

// The function of the page, which is plain JavaScript for browsers.
const nextStateFile = new URL("../../../coordinator/dashboard/page/next-state.js", import.meta.url);
const { nextState }: { nextState: (state: PageState, event: "state" | "change", data: unknown) => PageState } =
	await import(nextStateFile.href);

/** Events whose reduced state can be read. */
function setUp(advice = ADVICE) {
	const clock = { ms: 0 };
	const events = new RunEvents(() => clock.ms);
	let state = INITIAL_STATE;
	const follow = (event: Parameters<typeof reduceEvent>[1]) => {
		state = reduceEvent(state, event, advice);
	};
	events.listen(follow);
	events.listenForDetails(follow);
	return { clock, events, state: () => state };
}

const overWire = (state: DashboardState) => JSON.parse(JSON.stringify(wholeState(state)));

test("a model of the hub is shown with a short commit", (t) => {
	const config = { ...defaultConfig(), model: `someone/spam-gpt2@${"1234567890".repeat(4)}` };
	t.is(runHead("/runs/one", config).model, "spam-gpt2@1234567");
});

test("phases, problems and the speed are those of the events; a problem leaves with its end", (t) => {
	const { clock, events, state } = setUp();
	emitStart(events);
	t.like(state().run, { name: "spam filter", model: "gpt2", data: "sms.tsv", epochs: 5 });
	t.deepEqual(state().run?.settings, [
		["--data", "/data/sms.tsv"],
		["--lr", "0.001"],
		["--name", "spam filter"],
	]);
	const phase = events.phase("training", 100, "steps");
	clock.ms = 4000;
	phase.advance(20);
	t.like(state().phases, [{ name: "training", done: 20, total: 100, secondsLeft: 16, state: "running" }]);
	phase.done();
	t.like(state().phases, [{ state: "done", secondsLeft: null }]);
	const notice = { event: "notice", kind: "no-workers", text: "no workers: waiting for one to join" } as const;
	events.emit({ ...notice, state: "begun", seconds: 0 });
	t.is(state().notices[0]?.advice.slice(0, 15), "Start a worker:");
	events.emit({ ...notice, state: "over", seconds: 3 });
	t.deepEqual(state().notices, []);
	const local = setUp(ADVICE_FOR_LOCAL_WORKERS);
	local.events.emit({ ...notice, state: "begun", seconds: 0 });
	t.is(local.state().notices[0]?.advice.slice(0, 34), "The run starts its workers itself,");
	for (let second = 0; second <= 20; second++) emitWorkers(events, second, { a: "computing" });
	t.deepEqual(wholeState(state()).traffic, [3072]);
	for (let step = 0; step <= 100; step++) emitStep(events, step);
	t.deepEqual(
		wholeState(state()).speed?.map((speed) => speed.toFixed(3)),
		[(1 / 0.06).toFixed(3), (8 / 0.06).toFixed(3)],
	);
});

test("a lane has one mark per second: the share of the second in which the worker computed, or why it didn't", (t) => {
	const { events, state } = setUp();
	for (const second of [0, 1, 2]) emitWorkers(events, second, { a: "computing", b: "waiting" });
	emitWorkers(events, 5, { a: "silent", b: "computing", c: "left" });
	emitWorkers(events, 6, { a: "suspended", b: "computing", c: "left" });
	t.deepEqual(
		state().workers.map(({ id, lane }) => [id, lane]),
		[
			["a", "055sssx"],
			["b", "0555555"],
			["c", "llll"],
		],
	);
});

test("whatever a long run emits, the state stays bounded", (t) => {
	const { events, state } = setUp();
	emitStart(events);
	for (let i = 0; i < 300; i++) {
		events.phase(`download ${i}`, 1, "bytes").done();
		events.warn(`warning ${i}`);
		events.emit({ event: "notice", kind: "engines", state: "begun", text: `worker ${i}`, seconds: 0 });
	}
	const many = Object.fromEntries(
		Array.from({ length: 270 }, (_, i) => [`w${i}`, i % 9 ? "left" : "computing"] as const),
	);
	for (let second = 0; second < 130; second++) emitWorkers(events, second, many);
	for (let step = 0; step < 3000; step++) emitStep(events, step);
	for (const line of sampleMetrics(300, 13)) events.emit({ event: line.kind, ...line });
	t.true(JSON.stringify(wholeState(state())).length < 300_000);
	t.is(state().workers.filter(({ state: now }) => now === "computing").length, 30);
	t.is(state().workers.length, 128);
});

test("a page that gets the whole state and then changes has the state of the run", (t) => {
	const { events, state } = setUp();
	emitStart(events);
	let sent = state();
	let page = nextState({ curves: {} }, "state", overWire(sent));
	const metrics = sampleMetrics(40, 50);
	for (let step = 1; step <= 1500; step++) {
		emitStep(events, step);
		const line = metrics.find((one) => one.step === step);
		if (line) events.emit({ event: line.kind, ...line });
		if (step % 7 === 0) emitWorkers(events, step, { a: "computing", [`w${step % 3}`]: "waiting" });
		if (step % 13 !== 0) continue;
		const changes = changesBetween(sent, state());
		if (changes) page = nextState(page, "change", JSON.parse(JSON.stringify(changes)));
		sent = state();
	}
	t.deepEqual(page, nextState({ curves: {} }, "state", overWire(sent)));
	t.is(changesBetween(sent, sent), undefined);
});
