import test from "ava";
import { WorkerSlots } from "../../../coordinator/serve/worker-slots.ts";

test("batches go to the least busy worker, up to the requested number in flight", (t) => {
	const slots = new WorkerSlots(() => ["a", "b", "a", "b"]);
	t.is(slots.workers, 2);
	slots.take(slots.find(1) ?? -1);
	t.is(slots.find(1), 1, "a computes, b is free");
	slots.take(1);
	t.is(slots.find(1), undefined);
	t.is(slots.find(2), 2);
	slots.take(2);
	slots.take(3);
	t.is(slots.find(2), undefined);
	slots.free(1);
	t.is(slots.find(2), 1);
});

test("batches in flight at a lost worker count for the worker that takes over its shards", (t) => {
	let holders = ["a", "b"];
	const slots = new WorkerSlots(() => holders);
	slots.take(0);
	holders = ["b", "b"];
	t.is(slots.find(1), undefined);
	t.is(slots.find(2), 1);
	t.is(slots.workers, 1);
});
