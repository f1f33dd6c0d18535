import test from "ava";
import fc from "fast-check";
import { dealShards, type Holders, shardsByWorker } from "../../../coordinator/cluster/assign-to-workers.ts";

const workers: readonly string[] = ["a", "b", "c", "d"];
const speed = fc.double({ min: 0.1, max: 10, noNaN: true });
const crew = fc.uniqueArray(fc.constantFrom(...workers), { minLength: 1 });
const holders = fc.array(fc.option(fc.constantFrom(...workers), { nil: undefined }), { minLength: 1, maxLength: 12 });

/** Shards somebody holds, workers some of which may be gone, and the speeds of those who are there. */
const deals = fc.tuple(holders, crew, fc.tuple(speed, speed, speed, speed)).map(([before, present, speeds]) => ({
	before,
	speeds: new Map(present.map((worker, i) => [worker, speeds[i] as number])),
}));

const loadOf = (held: Holders, worker: string) => held.filter((holder) => holder === worker).length;

test("shards of those who are there stay, and every other goes to who is there", (t) => {
	fc.assert(
		fc.property(deals, ({ before, speeds }) => {
			const after = dealShards(before, speeds);
			return after.every((holder, shard) => {
				const was = before[shard];
				return was !== undefined && speeds.has(was) ? holder === was : holder !== undefined && speeds.has(holder);
			});
		}),
	);
	t.pass();
});

test("a shard that moves goes where it is done first: to workers in proportion to their speed", (t) => {
	fc.assert(
		fc.property(deals, ({ before, speeds }) => {
			const after = dealShards(before, speeds);
			const secondsOf = (worker: string, more = 0) => (loadOf(after, worker) + more) / (speeds.get(worker) as number);
			return after.every(
				(holder, shard) =>
					holder === before[shard] ||
					[...speeds.keys()].every((other) => secondsOf(holder as string) <= secondsOf(other, 1) + 1e-9),
			);
		}),
	);
	t.deepEqual(
		shardsByWorker(
			dealShards(
				Array.from({ length: 8 }),
				new Map([
					["fast", 3],
					["slow", 1],
				]),
			),
		),
		new Map([
			["fast", [0, 1, 2, 4, 5, 6]],
			["slow", [3, 7]],
		]),
	);
});

test("a newcomer only takes, and just enough: one more would make it the last to be done", (t) => {
	fc.assert(
		fc.property(deals, speed, ({ before, speeds }, newSpeed) => {
			const all = new Map([...speeds, ["new", newSpeed]]);
			const placed = dealShards(before, speeds);
			const after = dealShards(placed, all, "new");
			const secondsOf = (held: Holders, worker: string, more = 0) =>
				(loadOf(held, worker) + more) / (all.get(worker) as number);
			const longest = (held: Holders) => Math.max(...[...speeds.keys()].map((worker) => secondsOf(held, worker)));
			const onlyTakes = after.every((holder, shard) => holder === placed[shard] || holder === "new");
			const isEnough = secondsOf(after, "new", 1) >= longest(after) - 1e-9;
			const isNoMore = loadOf(after, "new") === 0 || secondsOf(after, "new") < longest(placed);
			return onlyTakes && isEnough && isNoMore;
		}),
	);
	t.pass();
});

test("with equal speeds the numbers of shards differ by one at most", (t) => {
	let held: Holders = Array.from({ length: 7 });
	const speeds = new Map<string, number>();
	for (const worker of workers) held = dealShards(held, speeds.set(worker, 1), worker);
	t.deepEqual(workers.map((worker) => loadOf(held, worker)).sort(), [1, 2, 2, 2]);
});
