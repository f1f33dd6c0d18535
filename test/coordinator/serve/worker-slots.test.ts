import test from "ava";
import { Lanes } from "../../../coordinator/serve/worker-slots.ts";

test("batches go to the least busy worker, as deep as asked for", (t) => {
	const lanes = new Lanes(() => ["a", "b", "a", "b"]);
	t.is(lanes.workers, 2);
	lanes.take(lanes.find(1) ?? -1);
	t.is(lanes.find(1), 1, "a computes, b is free");
	lanes.take(1);
	t.is(lanes.find(1), undefined);
	t.is(lanes.find(2), 2);
	lanes.take(2);
	lanes.take(3);
	t.is(lanes.find(2), undefined);
	lanes.free(1);
	t.is(lanes.find(2), 1);
});

test("what a lost worker had under way counts for whoever has its shards now", (t) => {
	let holders = ["a", "b"];
	const lanes = new Lanes(() => holders);
	lanes.take(0);
	holders = ["b", "b"];
	t.is(lanes.find(1), undefined);
	t.is(lanes.find(2), 1);
	t.is(lanes.workers, 1);
});
