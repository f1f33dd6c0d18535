import { formatBytes, formatCount, formatSeconds } from "../format.ts";

const SECONDS_BEFORE_ETA = 1;

/** How far a phase has come, and how long the rest will take. */
export class Work {
	readonly name: string;
	/** Units of work, each of which takes about as long as another; 0 where unknown. */
	readonly total: number;
	/** As in "tokens", "steps" and "bytes". */
	readonly unit: string;
	readonly #now: () => number;
	readonly #startedMs: number;
	readonly #startedAt: number;
	#done: number;

	/** @param startAt units done by an earlier process: they count for the share, not for the speed */
	constructor(name: string, total: number, unit: string, startAt: number, now: () => number) {
		this.name = name;
		this.total = total;
		this.unit = unit;
		this.#now = now;
		this.#startedMs = now();
		this.#startedAt = startAt;
		this.#done = startAt;
	}

	get done(): number {
		return this.#done;
	}

	advance(units: number): void {
		this.#done += units;
	}

	/** In [0, 1]; 0 where the total is unknown. */
	get share(): number {
		return this.total > 0 ? Math.min(1, this.#done / this.total) : 0;
	}

	get seconds(): number {
		return (this.#now() - this.#startedMs) / 1000;
	}

	/** Units a second so far, 0 where none is done. */
	get speed(): number {
		return this.seconds > 0 ? (this.#done - this.#startedAt) / this.seconds : 0;
	}

	/**
	 * What the rest takes at the mean speed so far. It grows while nothing moves, so a stall shows. Undefined while
	 * there is nothing to judge by: in the first second, before the first unit, or without a total.
	 */
	get secondsLeft(): number | undefined {
		if (this.seconds < SECONDS_BEFORE_ETA || this.speed === 0 || this.total === 0) return undefined;
		return Math.max(0, this.total - this.#done) / this.speed;
	}

	/** As in "about 12 s left"; empty while there is nothing to judge by. */
	get eta(): string {
		const left = this.secondsLeft;
		if (left === undefined) return "";
		return `about ${left < 10 ? `${Math.ceil(left)} s` : formatSeconds(left)} left`;
	}

	/** As in "1,200 of 5,000 tokens". */
	get counts(): string {
		if (this.total === 0) return this.#amount(this.#done);
		return this.unit === "bytes"
			? `${formatBytes(this.#done)} of ${formatBytes(this.total)}`
			: `${formatCount(this.#done)} of ${formatCount(this.total)} ${this.unit}`;
	}

	/** What was done here and how fast, as in "5,000 tokens in 12 s (417/s)". */
	get summary(): string {
		const speed = this.unit === "bytes" ? formatBytes(Math.round(this.speed)) : formatRate(this.speed);
		return `${this.#amount(this.#done - this.#startedAt)} in ${formatSeconds(this.seconds)} (${speed}/s)`;
	}

	#amount(units: number): string {
		return this.unit === "bytes" ? formatBytes(units) : `${formatCount(units)} ${this.unit}`;
	}
}

function formatRate(perSecond: number): string {
	return perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}
