import { Progress } from "../events/progress.ts";
import { formatBytes, formatCount, formatRate, formatSeconds } from "../format.ts";

/** Formats the progress of a phase. */
export class Work extends Progress {
	readonly name: string;
	/** For example "tokens", "steps" or "bytes". */
	readonly unit: string;

	/** @param startAt units done by an earlier process: they count for the share, not for the speed */
	constructor(name: string, total: number, unit: string, startAt: number, now: () => number) {
		super(total, startAt, now);
		this.name = name;
		this.unit = unit;
	}

	/** For example "about 12 s left"; empty while it can't be estimated. */
	get eta(): string {
		const left = this.secondsLeft;
		if (left === undefined) return "";
		return formatEta(left);
	}

	/** For example "1,200 of 5,000 tokens". */
	get counts(): string {
		if (this.total === 0) return this.#amount(this.done);
		return this.unit === "bytes"
			? `${formatBytes(this.done)} of ${formatBytes(this.total)}`
			: `${formatCount(this.done)} of ${formatCount(this.total)} ${this.unit}`;
	}

	/** The work of this process and its speed, for example "5,000 tokens in 12 s (417/s)". */
	get summary(): string {
		const speed = this.unit === "bytes" ? formatBytes(Math.round(this.speed)) : formatRate(this.speed);
		return `${this.#amount(this.done - this.startAt)} in ${formatSeconds(this.seconds)} (${speed}/s)`;
	}

	#amount(units: number): string {
		return this.unit === "bytes" ? formatBytes(units) : `${formatCount(units)} ${this.unit}`;
	}
}

/** Formats estimated seconds, as in "about 12 s left". */
export function formatEta(seconds: number): string {
	return `about ${seconds < 10 ? `${Math.ceil(seconds)} s` : formatSeconds(seconds)} left`;
}
