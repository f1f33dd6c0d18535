import test from "ava";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { hideBars } from "../../../coordinator/terminal/bar.ts";
import { createTerminal, type TerminalOptions } from "../../../coordinator/terminal/create-terminal.ts";
import { sampleLine, sampleResult } from "../run-folder/sample-run.ts";
import { EmulatedTerminal } from "./emulated-terminal.ts";
import { FakeStream } from "./fake-stream.ts";

const ESC = "\u001b";

/** A terminal whose clock the test moves. */
function setUp(options: TerminalOptions & { isTTY?: boolean; columns?: number } = {}) {
	const stream = new FakeStream(options.isTTY, options.columns);
	const clock = { ms: 0 };
	const now = () => clock.ms;
	const events = new RunEvents(now);
	events.listen(createTerminal({ stream, env: {}, now, ...options }));
	return { stream, clock, events };
}

/** Returns the lines on the screen after the output. */
async function screenOf({ text, columns }: FakeStream): Promise<string[]> {
	const terminal = new EmulatedTerminal(columns, 30);
	terminal.write(text);
	await terminal.drawn();
	return terminal.lines;
}

const classified = (probability: number) => ({
	text: "a",
	source: "text 1",
	label: "ham",
	labels: ["ham"],
	probability,
	probabilities: { ham: probability, spam: 1 - probability },
	tokens: 1,
	truncated: false,
});

test("where there is no terminal a phase is told every 5 seconds and when it ends, with the time that is left", (t) => {
	const { stream, clock, events } = setUp();
	const phase = events.phase("features", 1000, "tokens");
	for (let i = 0; i < 10; i++) {
		clock.ms += 1200;
		phase.advance(100);
	}
	phase.done();
	t.deepEqual(stream.lines, [
		"features    50 %, 500 of 1,000 tokens, about 6 s left",
		"features    1,000 tokens in 12 s (83/s)",
	]);
	t.false(stream.text.includes(ESC));
});

test("work done before a resume counts for the share, not for the speed", (t) => {
	const { stream, clock, events } = setUp();
	const phase = events.phase("training", 1000, "steps", 900);
	clock.ms = 5000;
	phase.advance(50);
	t.deepEqual(stream.lines, ["training    95 %, 950 of 1,000 steps, about 5 s left"]);
});

test("a phase within another says nothing when it ends", (t) => {
	const { stream, events } = setUp();
	const training = events.phase("training", 2, "steps");
	const evaluation = events.phase("evaluation", 1, "texts");
	evaluation.done();
	t.deepEqual(stream.lines, []);
	training.done();
	t.is(stream.lines.length, 1);
});

test("on a terminal the bar of a phase makes room for lines and goes when the phase ends", async (t) => {
	const { stream, clock, events } = setUp({ isTTY: true });
	const phase = events.phase("training", 200, "steps");
	clock.ms = 10_000;
	phase.advance(50);
	events.line("hello");
	const [line, bar = "", ...others] = await screenOf(stream);
	t.is(line, "hello");
	t.regex(bar, /^training {4}━{7}─{21} {3}25 % {2}50 of 200 steps {2}about 30 s left$/);
	t.deepEqual(others, []);
	phase.done();
	t.deepEqual(await screenOf(stream), ["hello", "training    50 steps in 10 s (5.0/s)"]);
});

test("trials of a sweep that run at once have a bar each, above that of the sweep, until they end", async (t) => {
	const { stream, events } = setUp({ isTTY: true, columns: 60 });
	events.phase("sweep", 0, "trials").advance(1);
	const phase = (trial: number, name: string, done: number) => {
		events.emit({ event: "phase", name, total: 4, unit: "steps", done, trial });
	};
	phase(12, "training", 1);
	phase(3, "features", 2);
	t.deepEqual(await screenOf(stream), [
		"trial 3: features   ━━━━━━━━━─────────   50 %  2 of 4 steps",
		"trial 12: training  ━━━━━─────────────   25 %  1 of 4 steps",
		"sweep               1 trial",
	]);
	const values = { values: {}, seed: 1, metric: null, score: null, seconds: null, secondsLeft: null };
	events.emit({ event: "trial", number: 3, trials: 20, folder: "/s/3", state: "begun", ...values });
	t.deepEqual((await screenOf(stream)).slice(0, 2), [
		"trial 12: training  ━━━━━─────────────   25 %  1 of 4 steps",
		"sweep               1 trial",
	]);
	hideBars();
});

test("a bar is never wider than the terminal", async (t) => {
	for (const columns of [20, 30, 45, 58, 80, 200]) {
		const { stream, clock, events } = setUp({ isTTY: true, columns });
		const phase = events.phase("features", 1e9, "tokens");
		clock.ms = 5000;
		phase.advance(123_456);
		events.line("x");
		const bar = (await screenOf(stream)).at(-1) ?? "";
		t.true(bar.length < columns && bar.startsWith("features"), `${columns}: ${bar}`);
		hideBars();
	}
});

test("the bar around a nested phase comes back when that ends", async (t) => {
	const { stream, events } = setUp({ isTTY: true });
	events.phase("training", 2, "steps");
	const evaluation = events.phase("evaluation", 1, "texts");
	t.regex((await screenOf(stream)).join(), /^evaluation [^,]*$/);
	evaluation.done();
	t.regex((await screenOf(stream)).join(), /^training [^,]*$/);
	hideBars();
	t.deepEqual(await screenOf(stream), [""]);
});

test("the cursor stays visible and the terminal's settings as they are", (t) => {
	const { stream, events } = setUp({ isTTY: true });
	events.phase("training", 2, "steps").done();
	t.false(stream.text.includes(`${ESC}[?`));
});

test("a download begins with what was there, is told in bytes, and one that failed gives way to the next phase", (t) => {
	const { stream, clock, events } = setUp();
	const report = events.download("some/model");
	const MiB = 2 ** 20;
	report(10 * MiB, 40 * MiB);
	clock.ms = 5000;
	report(20 * MiB, 40 * MiB);
	events.phase("features", 1, "tokens").done();
	t.deepEqual(stream.lines, [
		"some/model  50 %, 20.0 MiB of 40.0 MiB, about 10 s left",
		"features    0 tokens in 0 ms (0.0/s)",
	]);
});

test("epochs are lines of a table with one head", (t) => {
	const { stream, events } = setUp();
	events.emit({ event: "epoch", ...sampleLine("epoch", 130) });
	events.emit({ event: "epoch", ...sampleLine("epoch", 260) });
	t.is(stream.lines.length, 3);
	t.is(new Set(stream.lines.map((line) => line.length)).size, 1);
	t.regex(stream.lines[1] ?? "", /^ +1 +0\.260 +93\.8 % +0\.324 +92\.0 % +91\.0 %$/);
});

test("the end shows accuracies, time, folder and a command to copy", (t) => {
	const { stream, events } = setUp();
	events.emit({
		event: "result",
		folder: "/else where/it's here",
		...sampleResult(),
		thresholds: [null, 0.8],
		stopped: "early",
	});
	const text = stream.text;
	t.regex(text, /accuracy +│ 99\.5 % │ +97\.3 % │ 98\.6 % │ +96\.6–99\.5 % │/);
	t.regex(text, /MCC +│ +0\.990 │ +– │ +0\.973 │ +0\.\d{3} to 0\.\d{3} │/);
	t.regex(text, /spam +│ 99\.3 % \(96\.2–99\.9 %\) │ 98\.0 % \(94\.2–99\.3 %\) │ 98\.6 % │ +148 │/);
	for (const part of [
		'always predicting "ham" would reach 49.3 % on the test texts',
		"a logistic regression on words (TF-IDF) reaches accuracy 96.0 %, macro F1 94.0 % on the test texts\n12 of",
		"12 of 294 test texts also occur in training",
		"kept the weights after epoch 4 (best macro F1 on validation)",
		"probabilities have temperature 1.23: expected calibration error 2.1 % (4.5 % at 1)",
		"\npredicted if probable enough: spam from 80.0 %\n",
		"stopped early",
		"1 min 50 s: load 1.8 s, features 1 min 01 s, training 38 s, evaluation 7.9 s",
		"npx tailtune classify '/else where/it'\\''s here' ",
	]) {
		t.true(text.includes(part), part);
	}
});

test("the end says plainly that a logistic regression on words is better, by the metric of the run", (t) => {
	const result = sampleResult();
	const wordBaseline = { loss: 1, accuracy: 0.5, balancedAccuracy: 1, mcc: 1, words: 9 };
	for (const [macroF1, metric, said] of [
		[0.99, "macro-f1", "that is better than the tuned model: macro F1 99.0 %, not 98.6 %"],
		[0.99, "accuracy", undefined],
		[0.99, "mcc", "that is better than the tuned model: MCC 1.000, not 0.973"],
		[0.5, "macro-f1", undefined],
	] as const) {
		const { stream, events } = setUp();
		const baseline = { ...wordBaseline, macroF1 };
		events.emit({
			event: "result",
			folder: "run",
			...result,
			wordBaseline: baseline,
			kept: { ...result.kept, metric },
		});
		t.is(
			stream.lines.find((line) => line.startsWith("that is better")),
			said,
		);
	}
});

test("of many classes the end shows those with the lowest F1, undefined ones first", (t) => {
	const { stream, events } = setUp();
	const result = sampleResult(Array.from({ length: 14 }, (_, i) => `class ${i}`));
	const perClass = result.perClass.map((score, i) => ({ ...score, f1: i === 13 ? null : i / 100 }));
	events.emit({ event: "result", folder: "run", ...result, perClass });
	const shown = stream.lines.flatMap((line) => /^│ class (\d+)/.exec(line)?.[1] ?? []);
	t.deepEqual(shown, ["13", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
	t.true(stream.text.includes("2 more classes have a higher F1: see report.html"));
});

test("warnings, notices and classifications are lines", (t) => {
	const { stream, events } = setUp();
	events.warn("care\nful");
	events.emit({ event: "notice", kind: "connection", state: "begun", text: "no connection", seconds: 1 });
	events.emit({ event: "notice", kind: "connection", state: "over", text: "no connection", seconds: 12.3 });
	events.emit({ event: "classifications", results: [classified(1)] });
	const notices = ["warning: no connection", "over after 12 s: no connection"];
	t.deepEqual(stream.lines, ["warning: care\\nful", ...notices, "ham  100.0 %  a"]);
});

test("colours need a terminal, and go with NO_COLOR", (t) => {
	const coloured = (options: Parameters<typeof setUp>[0]) => {
		const { stream, events } = setUp(options);
		events.warn("careful");
		return stream.text.includes(ESC);
	};
	t.true(coloured({ isTTY: true }));
	t.false(coloured({ isTTY: true, env: { NO_COLOR: "1" } }));
	t.false(coloured({ isTTY: true, env: { TERM: "dumb" } }));
	t.false(coloured({ isTTY: false }));
});

test("a reader that goes away ends nothing; another failure does", (t) => {
	const { stream } = setUp();
	t.true(stream.emit("error", Object.assign(new Error("gone"), { code: "EPIPE" })));
	t.throws(() => stream.emit("error", Object.assign(new Error("full"), { code: "ENOSPC" })));
});
