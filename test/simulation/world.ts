import type { Clock } from "../../shared/clock.ts";
import { VirtualClock } from "../shared/bus/virtual-clock.ts";
import { Random } from "./random.ts";
import type { Noise } from "./schedule.ts";

/** The two networks that a process is on: NATS, and gRPC with the coordinator. */
export type Link = "nats" | "rpc";

/** What all of a simulation share: time, chance and what happened. */
export class World {
	readonly clock = new VirtualClock();
	readonly random: Random;
	readonly noise: Noise;
	/** What happened, where somebody wants to know. */
	readonly trace: string[] = [];
	/** Called when a file has its name. */
	onWritten: (file: string) => void = () => {};
	/** Something wrong in the product, put in on purpose: best weights have their name after the checkpoint that needs them. */
	isBestLate = false;
	readonly #isTraced: boolean;

	constructor(seed: number, noise: Noise, isTraced: boolean) {
		this.random = new Random(seed);
		this.noise = noise;
		this.#isTraced = isTraced;
	}

	log(line: string): void {
		if (this.#isTraced) this.trace.push(`${this.clock.now.toFixed(0).padStart(7)} ms  ${line}`);
	}

	sleep(ms: number): Promise<void> {
		return new Promise((resolve) => this.clock.schedule(resolve, ms));
	}
}

/** A process: it can die, stand still, be cut off, and compute slowly. What it waits for when it dies never comes. */
export class Node {
	readonly name: string;
	readonly world: World;
	/** How many times as long a computation takes. */
	slowness = 1;
	readonly #cuts = new Map<Link, number>();
	readonly #waiting = new Set<() => void>();
	readonly #onKilled = new Set<() => void>();
	#closeMs = 0;
	#isDead = false;
	#isFrozen = false;

	constructor(name: string, world: World) {
		this.name = name;
		this.world = world;
	}

	get isDead(): boolean {
		return this.#isDead;
	}

	/** How long after its death what it had open is closed. */
	get closeMs(): number {
		return this.#closeMs;
	}

	/** Timers of what runs here: they die with it and are late where it stands still. */
	readonly clock: Clock = {
		schedule: (callback, delayMs) => {
			if (delayMs === Number.POSITIVE_INFINITY || this.#isDead) return () => {};
			let isCancelled = false;
			const cancelTimer = this.world.clock.schedule(() => {
				forget();
				void this.#until(() => !this.#isFrozen || isCancelled).then(() => {
					if (!isCancelled) callback();
				});
			}, delayMs);
			const cancel = () => {
				isCancelled = true;
				forget();
				cancelTimer();
			};
			const forget = this.whenKilled(cancel);
			return cancel;
		},
	};

	/** Calls back when it dies; returns what prevents that. */
	whenKilled(callback: () => void): () => void {
		this.#onKilled.add(callback);
		return () => this.#onKilled.delete(callback);
	}

	isReachable(link: Link): boolean {
		return !this.#isDead && !this.#isFrozen && !this.#cuts.get(link);
	}

	/** Waits so long by its own clock. */
	sleep(ms: number): Promise<void> {
		return new Promise((resolve) => this.clock.schedule(resolve, ms));
	}

	/** The time a message takes to or from here: as long as a network is cut, and no longer than until `signal` aborts. */
	async travel(link: Link, signal?: AbortSignal, longestMs = this.world.noise.delayMs): Promise<void> {
		const passed = this.world.sleep(this.world.random.wait(longestMs)).then(() => this.reach(link));
		await (signal ? orAborted(passed, signal) : passed);
		if (this.#isDead) await new Promise(() => {});
	}

	/** Waits until a network is there. */
	reach(link: Link): Promise<void> {
		return this.#until(() => this.isReachable(link));
	}

	/** @param closeMs after which its host closes what it had open */
	kill(closeMs: number): void {
		this.#isDead = true;
		this.#closeMs = closeMs;
		this.#waiting.clear();
		for (const callback of [...this.#onKilled]) callback();
	}

	freeze(ms: number): void {
		this.#isFrozen = true;
		this.world.clock.schedule(() => {
			this.#isFrozen = false;
			this.#wake();
		}, ms);
	}

	cut(link: Link, ms: number): void {
		this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
		this.world.clock.schedule(() => {
			this.#cuts.set(link, (this.#cuts.get(link) ?? 0) - 1);
			this.#wake();
		}, ms);
	}

	async #until(isTrue: () => boolean): Promise<void> {
		while (!isTrue()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
	}

	#wake(): void {
		for (const wake of this.#waiting) wake();
		this.#waiting.clear();
	}
}

/** Waits for something, but no longer than until a signal aborts. */
function orAborted(passed: Promise<void>, signal: AbortSignal): Promise<void> {
	if (signal.aborted) return Promise.resolve();
	return new Promise((resolve) => {
		const end = () => {
			signal.removeEventListener("abort", end);
			resolve();
		};
		signal.addEventListener("abort", end);
		void passed.then(end);
	});
}
