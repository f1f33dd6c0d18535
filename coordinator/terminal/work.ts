import { Progress } from "../events/progress.ts";
import { formatBytes, formatEta, formatProgress, formatRate, formatSeconds, formatUnits } from "../format.ts";

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
		return left === undefined ? "" : formatEta(left);
	}

	/** For example "1,200 of 5,000 tokens". */
	get counts(): string {
		return formatProgress(this.done, this.total, this.unit);
	}

	/**
	 * Formats the work of this process and its speed, for example "5,000 tokens in 12 s (417/s)".
	 * @param seconds time of the whole phase
	 */
	summarize(seconds: number): string {
		const units = this.done - this.startAt;
		const perSecond = seconds > 0 ? units / seconds : 0;
		const speed = this.unit === "bytes" ? formatBytes(perSecond) : formatRate(perSecond);
		return `${formatUnits(units, this.unit)} in ${formatSeconds(seconds)} (${speed}/s)`;
	}
}
