import test from "ava";
import { WorkerWatch } from "../../../coordinator/cluster/worker-watch.ts";
import { createTerminal } from "../../../coordinator/terminal/terminal.ts";
import { Notices } from "../../../shared/notices.ts";
import { someWorker } from "../../shared/bus/messages.ts";
import { VirtualClock } from "../../shared/bus/virtual-clock.ts";
import { FakeStream } from "../terminal/fake-stream.ts";

function setUp() {
	const stream = new FakeStream();
	const clock = new VirtualClock();
	const terminal = createTerminal({ stream, quiet: true });
	const notices = new Notices((notice) => terminal.notice(notice), { clock, now: () => clock.now });
	const watch = new WorkerWatch(2, terminal, notices);
	const change = (type: "joined" | "left", workerId: string, version = "1.0") =>
		watch.tell({ type, reason: "silent", worker: { ...someWorker(workerId), version }, shards: new Map() });
	return { stream, clock, watch, change };
}

test("a run says that no worker is there: at the start after a while, later at once, and when one joins", async (t) => {
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
		"warning: no worker is there: waiting for one to join",
		"over after 5 s: no worker is there: waiting for one to join",
		"warning: no worker is there: waiting for one to join",
		"over after 1 s: no worker is there: waiting for one to join",
	]);
});

test("workers of another engine or version are warned of, once for each", (t) => {
	const { stream, change } = setUp();
	change("joined", "a");
	change("joined", "b");
	t.deepEqual(stream.lines, []);
	change("joined", "c", "2.0");
	change("joined", "d", "2.0");
	t.is(stream.lines.length, 1);
	t.regex(
		stream.lines[0] ?? "",
		/^warning: workers compute with different engines, onnx cpu and tfjs wasm \(1\.0\); onnx cpu and tfjs wasm \(2\.0\): /,
	);
});
