import { Random } from "./random.ts";

/** Faults of the networks during the whole simulation. */
export interface Noise {
	/** Longest delay of a message. */
	readonly delayMs: number;
	/** Share of lost messages, among those that may be lost. */
	readonly lost: number;
	/** Share of duplicated messages, among those that may be duplicated. */
	readonly duplicated: number;
	/** Longest additional delay of changes of runs and assignments. */
	readonly lagMs: number;
	/** Share of assignments that don't reach the worker. */
	readonly missed: number;
}

export const FAULTS = [
	"kill",
	"vanish",
	"stop",
	"join",
	"freeze",
	"slow",
	"cut nats",
	"cut rpc",
	"cut both",
	"cut coordinator nats",
	"cut coordinator rpc",
	"freeze coordinator",
	"kill coordinator",
	"break engine",
	"flip bit",
	"repeat update",
	"skip update",
] as const;

/** Ctrl-C, after which the run is resumed; drawn separately from the others. */
const INTERRUPT = "interrupt coordinator";

/** A fault of a process: of a worker, unless its name contains "coordinator". */
export interface Fault {
	readonly atMs: number;
	readonly kind: (typeof FAULTS)[number] | typeof INTERRUPT;
	/** Index of the worker, modulo the number of running workers. */
	readonly worker: number;
	/** Duration, or for "slow" the slowdown. */
	readonly ms: number;
}

/** Settings of a run. */
export interface Plan {
	readonly shards: number;
	readonly workers: number;
	readonly batch: number;
	readonly accumulate: number;
	readonly checkpointEvery: number;
	readonly keep: "best" | "last";
	/** Most bytes of updates that are kept for slow workers. */
	readonly mostLogBytes: number;
}

/** Decisions made before a simulation begins; later ones are drawn from the same seed. */
export interface Schedule {
	readonly seed: number;
	readonly plan: Plan;
	readonly noise: Noise;
	readonly faults: readonly Fault[];
}

/** Approximate duration of an undisturbed run. */
const UNDISTURBED_MS = 12_000;
/** Duration of many faults in every fifth schedule. */
const STORM_MS = 60_000;

/** Draws the schedule of a seed. */
export function drawSchedule(seed: number): Schedule {
	const random = new Random(seed ^ 0x5eed);
	const cluster = {
		shards: random.whole(1, 4),
		workers: random.whole(1, 4),
		batch: random.oneOf([4, 6]),
		accumulate: random.whole(1, 2),
		checkpointEvery: random.whole(1, 4),
	};
	const noise = {
		delayMs: random.oneOf([5, 50, 500]),
		lost: random.oneOf([0, 0.02, 0.1]),
		duplicated: random.oneOf([0, 0.05, 0.3]),
	};
	const faults = drawFaults(random, 6, UNDISTURBED_MS);
	if (seed % 5 === 0) faults.push(...drawFaults(random, 18, STORM_MS));
	const registry = { lagMs: random.oneOf([0, 1_000, 8_000]), missed: random.oneOf([0, 0, 0.2]) };
	const plan: Plan = {
		...cluster,
		keep: random.oneOf(["best", "best", "last"]),
		mostLogBytes: random.oneOf([0, 1_000, 1e6]),
	};
	if (random.chance(0.2)) faults.push({ atMs: random.whole(0, UNDISTURBED_MS), kind: INTERRUPT, worker: 0, ms: 100 });
	return { seed, plan, noise: { ...noise, ...registry }, faults: limitFaults(["break engine", "flip bit"], faults) };
}

function drawFaults(random: Random, most: number, untilMs: number): Fault[] {
	return Array.from({ length: random.whole(0, most) }, () => ({
		atMs: random.whole(0, untilMs),
		kind: random.oneOf(FAULTS),
		worker: random.whole(0, 9),
		ms: random.oneOf([100, 2_000, 8_000, 25_000]),
	}));
}

/** Limits faults of workers to two: an item is given up if all workers have failed at it three times. */
function limitFaults(kinds: readonly Fault["kind"][], faults: readonly Fault[]): Fault[] {
	const few = faults.filter(({ kind }) => kinds.includes(kind)).slice(0, 2);
	return faults.filter((fault) => !kinds.includes(fault.kind) || few.includes(fault)).sort((a, b) => a.atMs - b.atMs);
}

/** Returns a schedule of the same run without faults. */
export function createUndisturbed(plan: Plan): Schedule {
	return {
		seed: 0,
		plan: { ...plan, workers: 1 },
		noise: { delayMs: 1, lost: 0, duplicated: 0, lagMs: 0, missed: 0 },
		faults: [],
	};
}
