import test from "ava";
import fc from "fast-check";
import { assignToWorkers, type Holders, shardsByWorker } from "../../../coordinator/cluster/assign-to-workers.ts";

const workers: readonly string[] = ["a", "b", "c", "d"];
const speed = fc.double({ min: 0.1, max: 10, noNaN: true });
const crew = fc.uniqueArray(fc.constantFrom(...workers), { minLength: 1 });
const holders = fc.array(fc.option(fc.constantFrom(...workers), { nil: undefined }), { minLength: 1, maxLength: 12 });

/** Holders of shards, some of which may be gone, and the speeds of the workers present. */
const deals = fc.tuple(holders, crew, fc.tuple(speed, speed, speed, speed)).map(([before, present, speeds]) => ({
	before,
	speeds: new Map(present.map((worker, i) => [worker, speeds[i] as number])),
}));

const loadOf = (held: Holders, worker: string) => held.filter((holder) => holder === worker).length;

test("shards of present workers stay, all others go to present workers", (t) => {
	fc.assert(
		fc.property(deals, ({ before, speeds }) => {
			const after = assignToWorkers(before, speeds);
			return after.every((holder, shard) => {
				const was = before[shard];
				return was !== undefined && speeds.has(was) ? holder === was : holder !== undefined && speeds.has(holder);
			});
		}),
	);
	t.pass();
});

test("shards without a worker go to the worker that finishes first: the numbers are proportional to the speeds", (t) => {
	fc.assert(
		fc.property(deals, ({ before, speeds }) => {
			const after = assignToWorkers(before, speeds);
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
			assignToWorkers(
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

test("only a newcomer takes shards, and just enough: with one more it would finish last", (t) => {
	fc.assert(
		fc.property(deals, speed, ({ before, speeds }, newSpeed) => {
			const all = new Map([...speeds, ["new", newSpeed]]);
			const placed = assignToWorkers(before, speeds);
			const after = assignToWorkers(placed, all, "new");
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

test("with equal speeds the numbers of shards differ by at most one", (t) => {
	let held: Holders = Array.from({ length: 7 });
	const speeds = new Map<string, number>();
	for (const worker of workers) held = assignToWorkers(held, speeds.set(worker, 1), worker);
	t.deepEqual(workers.map((worker) => loadOf(held, worker)).sort(), [1, 2, 2, 2]);
});
