import { Random } from "./random.ts";

/** What the networks do to messages, all along. */
export interface Noise {
	/** The longest that a message takes. */
	readonly delayMs: number;
	/** The share of what may be lost that is. */
	readonly lost: number;
	/** The share of what may come twice that does. */
	readonly double: number;
	/** The longest that the registry of runs and assignments takes to tell a change. */
	readonly lagMs: number;
	/** The share of assignments that the worker never hears of. */
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
] as const;

/** Ctrl-C, after which the run goes on; drawn apart from the others. */
const INTERRUPT = "interrupt coordinator";

/** Something that happens to a process: to a worker unless it says coordinator. */
export interface Fault {
	readonly atMs: number;
	readonly kind: (typeof FAULTS)[number] | typeof INTERRUPT;
	/** Which of the workers there are then. */
	readonly worker: number;
	/** How long it stays so, or how much slower it gets. */
	readonly ms: number;
}

/** What a run is like. */
export interface Plan {
	readonly shards: number;
	readonly workers: number;
	readonly batch: number;
	readonly accumulate: number;
	readonly checkpointEvery: number;
	/** As the flags of those names. */
	readonly localSteps: number;
	readonly outerMomentum: number;
	readonly keep: "best" | "last";
}

/** All that is decided before a simulation begins; what is decided on the way is drawn from the same seed. */
export interface Schedule {
	readonly seed: number;
	readonly plan: Plan;
	readonly noise: Noise;
	readonly faults: readonly Fault[];
}

/** A run takes about so long by itself. */
const UNDISTURBED_MS = 12_000;
/** Every fifth schedule is full of faults for so long. */
const STORM_MS = 60_000;

/** The schedule of a seed. */
export function scheduleOf(seed: number): Schedule {
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
		double: random.oneOf([0, 0.05, 0.3]),
	};
	const faults = drawFaults(random, 6, UNDISTURBED_MS);
	if (seed % 5 === 0) faults.push(...drawFaults(random, 18, STORM_MS));
	const registry = { lagMs: random.oneOf([0, 1_000, 8_000]), missed: random.oneOf([0, 0, 0.2]) };
	const localSteps = random.oneOf([1, 1, 1, 2, 3]);
	const outerMomentum = localSteps > 1 ? random.oneOf([0, 0.5]) : 0;
	const plan: Plan = { ...cluster, localSteps, outerMomentum, keep: random.oneOf(["best", "best", "last"]) };
	if (random.chance(0.2)) faults.push({ atMs: random.whole(0, UNDISTURBED_MS), kind: INTERRUPT, worker: 0, ms: 100 });
	return { seed, plan, noise: { ...noise, ...registry }, faults: withFewOf("break engine", faults) };
}

function drawFaults(random: Random, most: number, untilMs: number): Fault[] {
	return Array.from({ length: random.whole(0, most) }, () => ({
		atMs: random.whole(0, untilMs),
		kind: random.oneOf(FAULTS),
		worker: random.whole(0, 9),
		ms: random.oneOf([100, 2_000, 8_000, 25_000]),
	}));
}

/** An item is given up where all workers' engines have failed at it three times: as often as that they don't break here. */
function withFewOf(kind: Fault["kind"], faults: readonly Fault[]): Fault[] {
	const few = faults.filter((fault) => fault.kind === kind).slice(0, 2);
	return faults.filter((fault) => fault.kind !== kind || few.includes(fault)).sort((a, b) => a.atMs - b.atMs);
}

/** The same run with nothing in its way. */
export function undisturbed(plan: Plan): Schedule {
	return {
		seed: 0,
		plan: { ...plan, workers: 1 },
		noise: { delayMs: 1, lost: 0, double: 0, lagMs: 0, missed: 0 },
		faults: [],
	};
}
