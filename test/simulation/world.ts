import type { Clock } from "../../shared/clock.ts";
import { VirtualClock } from "../shared/bus/virtual-clock.ts";
import { Random } from "./random.ts";
import type { Noise } from "./schedule.ts";

/** The two networks of a process: NATS, and gRPC to the coordinator. */
export type Link = "nats" | "rpc";

/** Clock, random numbers, noise and trace of a simulation. */
export class World {
	readonly clock = new VirtualClock();
	readonly random: Random;
	readonly noise: Noise;
	/** Lines of the trace; empty unless it is requested. */
	readonly trace: string[] = [];
	/** Number of events by name, such as the reason of a refusal. */
	readonly counts = new Map<string, number>();
	/** Called after a file was renamed. */
	onWritten: (file: string) => void = () => {};
	/** A mutation: the file of the best weights is renamed only after the checkpoint that needs it. */
	isBestLate = false;
	readonly #isTraced: boolean;

	constructor(seed: number, noise: Noise, isTraced: boolean) {
		this.random = new Random(seed);
		this.noise = noise;
		this.#isTraced = isTraced;
	}

	count(event: string): void {
		this.counts.set(event, (this.counts.get(event) ?? 0) + 1);
	}

	log(line: string): void {
		if (this.#isTraced) this.trace.push(`${this.clock.now.toFixed(0).padStart(7)} ms  ${line}`);
	}

	sleep(ms: number): Promise<void> {
		return new Promise((resolve) => this.clock.schedule(resolve, ms));
	}
}

/** A process that can die, freeze, be cut off and be slow. After its death its pending waits never resolve. */
export class Node {
	readonly name: string;
	readonly world: World;
	/** Factor of the time of computations. */
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

	/** Time between its death and the closing of its connections. */
	get closeMs(): number {
		return this.#closeMs;
	}

	/** Timers of the process: cancelled by its death, late if it is frozen. */
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

	/** Calls back when the process dies. Returns a function that cancels this. */
	whenKilled(callback: () => void): () => void {
		this.#onKilled.add(callback);
		return () => this.#onKilled.delete(callback);
	}

	isReachable(link: Link): boolean {
		return !this.#isDead && !this.#isFrozen && !this.#cuts.get(link);
	}

	/** Waits by the clock of the process. */
	sleep(ms: number): Promise<void> {
		return new Promise((resolve) => this.clock.schedule(resolve, ms));
	}

	/** Waits for the transfer of a message, also while the network is cut, until `signal` aborts. */
	async transfer(link: Link, signal?: AbortSignal, longestMs = this.world.noise.delayMs): Promise<void> {
		const passed = this.world.sleep(this.world.random.wait(longestMs)).then(() => this.reach(link));
		await (signal ? orAborted(passed, signal) : passed);
		if (this.#isDead) await new Promise(() => {});
	}

	/** Waits until the network is reachable. */
	reach(link: Link): Promise<void> {
		return this.#until(() => this.isReachable(link));
	}

	/** Ends the process. @param closeMs time until its host closes its connections */
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

/** Waits until a promise resolves or a signal aborts. */
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
