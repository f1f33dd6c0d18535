import test from "ava";
import fc from "fast-check";
import { ShardMap } from "../../../coordinator/run/shard-map.ts";

const membership = fc.array(fc.record({ worker: fc.constantFrom("a", "b", "c", "d"), joins: fc.boolean() }));

test("while a worker is there every shard has a holder who is there, and loads differ by one at most", async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 1, max: 9 }), membership, async (shards, events) => {
			const present = new Set<string>();
			const map = new ShardMap(shards, async () => {});
			for (const { worker, joins } of events) {
				if (joins && !present.has(worker)) await map.join(present.add(worker) && worker);
				if (!joins && present.delete(worker)) await map.leave(worker);
				const loads = [...present].map((name) => map.holders.filter((holder) => holder === name).length);
				const total = loads.reduce((sum, load) => sum + load, 0);
				if (present.size > 0 && (total !== shards || Math.max(...loads) - Math.min(...loads) > 1)) return false;
			}
			return true;
		}),
	);
	t.pass();
});

test("only the shards of the worker that left move", async (t) => {
	const moves: [number, string][] = [];
	const map = new ShardMap(4, async (shard, worker) => {
		moves.push([shard, worker]);
	});
	await map.join("a");
	await map.join("b");
	moves.length = 0;
	const before = [...map.holders];
	await map.leave("b");
	t.deepEqual(
		moves.map(([shard]) => shard),
		before.flatMap((holder, shard) => (holder === "b" ? [shard] : [])),
	);
});

test("a newcomer takes over just enough to even out the numbers", async (t) => {
	const map = new ShardMap(8, async () => {});
	await map.join("a");
	await map.join("b");
	t.is(map.holders.filter((holder) => holder === "b").length, 4);
});
