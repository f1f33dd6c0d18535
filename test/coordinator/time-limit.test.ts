import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { TimeLimit } from "../../coordinator/time-limit.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a time limit aborts even if only its listener is left, and then says that the time is over", async (t) => {
	const other = new AbortController();
	const kept = new TimeLimit(20, other.signal);
	const aborted = new Promise<Event>((resolve) =>
		new TimeLimit(20, other.signal).signal.addEventListener("abort", resolve),
	);
	t.false(kept.isOver);
	await setImmediate();
	collectGarbage();
	const alive = setInterval(() => {}, 1000);
	await aborted;
	clearInterval(alive);
	t.true(kept.isOver);
	t.true(kept.signal.aborted);
});

test("a time limit that another signal ends isn't over", (t) => {
	const other = new AbortController();
	const limit = new TimeLimit(60_000, other.signal);
	other.abort();
	t.true(limit.signal.aborted);
	t.false(limit.isOver);
	limit.end();
});
