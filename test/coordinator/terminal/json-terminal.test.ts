import test from "ava";
import { jsonLineSchema } from "../../../coordinator/events/json-line-schemas.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { runEventSchema } from "../../../coordinator/events/schemas.ts";
import { createTerminal } from "../../../coordinator/terminal/create-terminal.ts";
import { someWorker } from "../../shared/bus/messages.ts";
import { sampleLine, sampleResult, scoresOf } from "../run-folder/sample-run.ts";
import { sampleSweep } from "../sweep/sample-sweep.ts";
import { FakeStream } from "./fake-stream.ts";

function setUp() {
	const stream = new FakeStream(true);
	const clock = { ms: 0 };
	const events = new RunEvents(() => clock.ms);
	events.listen(createTerminal({ stream, json: true }));
	return { stream, clock, events, linesOf: () => stream.lines.map((line) => JSON.parse(line)) };
}

const classified = (text: string) => ({
	text,
	source: "text 1",
	label: "ham",
	labels: ["ham"],
	probability: 0.75,
	probabilities: { ham: 0.75, spam: 0.25 },
	tokens: 1,
	truncated: false,
});

test("every event is a line that the schema of lines accepts, and classifications are a line for each text", (t) => {
	const { events, linesOf } = setUp();
	const { classes, cut, windows, labels, confusion, majorityBaseline } = sampleResult();
	const emitted = new Set<string>();
	events.listen(({ event }) => emitted.add(event));
	const phase = events.phase("training", 2, "steps");
	events.download("some/model")(1, 2);
	events.phase("features", 1, "tokens").done();
	phase.done();
	events.line("two\nlines");
	events.warn("careful");
	events.emit({ event: "notice", kind: "no-workers", state: "over", text: "no worker is there", seconds: 12.3 });
	events.emit({ event: "texts", classes, cut, windows, maxTokens: 256 });
	for (const kind of ["step", "epoch"] as const) events.emit({ event: kind, ...sampleLine(kind, 130) });
	const workers = { at: Date.now(), worker: someWorker("a"), shards: { b: [0, 1] }, totalShards: 2 };
	events.emit({ event: "worker-joined", ...workers });
	events.emit({ event: "worker-left", ...workers, reason: "no-heartbeat" });
	events.emit({ event: "worker-suspended", ...workers, reason: "failing", detail: "no memory" });
	events.emit({ event: "result", folder: "run", ...sampleResult() });
	const evaluation = { texts: 5, cut: 2, maxTokens: 1024, labels, ...scoresOf(confusion) };
	events.emit({ event: "evaluation", ...evaluation, majorityBaseline });
	events.emit({
		event: "classified",
		out: null,
		rows: 2,
		cut: 0,
		maxTokens: 256,
		unlabelled: 0,
		bad: 1,
		errors: ["f:1: empty"],
	});
	const place = { number: 1, trials: 4, folder: "sweep/trial-1", values: { lr: 0.1 }, seed: 123 };
	const scores = { metric: "loss" as const, score: 0.5, seconds: 3, secondsLeft: 9 };
	events.emit({ event: "trial", ...place, state: "finished", ...scores });
	events.emit({ event: "sweep", folder: "sweep", ...sampleSweep() });
	events.emit({ event: "classifications", results: [classified("a"), classified("b")] });
	t.deepEqual(
		[...emitted].sort(),
		runEventSchema.options.map(({ shape }) => shape.event.value).sort(),
		"an event without a sample",
	);
	const lines = linesOf();
	for (const line of lines) t.deepEqual(jsonLineSchema.parse(line), line);
	const texts = lines.filter(({ event }) => event === "classification").map(({ text }) => text);
	t.deepEqual(texts, ["a", "b"]);
	t.like(
		lines.find(({ event }) => event === "line"),
		{ text: "two\nlines" },
	);
	t.like(
		lines.find(({ event }) => event === "worker-left"),
		{ reason: "no-heartbeat", shards: { b: [0, 1] } },
	);
});

test("progress is a line once per second, of each phase by itself", (t) => {
	const { clock, events, linesOf } = setUp();
	const outer = events.phase("training", 100, "steps");
	const inner = events.phase("features", 100, "tokens");
	for (let i = 0; i < 20; i++) {
		clock.ms += 100;
		inner.advance(5);
		if (i === 14) outer.advance(1);
	}
	inner.done();
	const lines = linesOf();
	t.deepEqual(
		lines.map(({ event, name }) => `${event} ${name}`),
		[
			"phase training",
			"phase features",
			"progress features",
			"progress training",
			"progress features",
			"phase-done features",
		],
	);
	t.deepEqual(lines[2], {
		event: "progress",
		name: "features",
		total: 100,
		unit: "tokens",
		done: 50,
		seconds: 1,
		secondsLeft: 1,
	});
});
