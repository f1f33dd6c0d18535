import { printable } from "../../shared/printable.ts";
import { Progress } from "../events/progress.ts";
import type { RunEvent } from "../events/schemas.ts";
import { formatBytes, formatEta, formatProgress, formatRate, formatSeconds, formatUnits } from "../format.ts";

type WorkBegun = Omit<Extract<RunEvent, { event: "phase" }>, "event">;

/** Formats the progress of a phase. */
export class Work extends Progress {
	readonly name: string;
	/** Number of the trial of a sweep that it belongs to; 0: none. */
	readonly trial: number;
	/** For example "tokens", "steps" or "bytes". */
	readonly unit: string;

	/** @param begun `done`: units done by an earlier process, which count for the share, not for the speed */
	constructor({ name, total, unit, done, trial = 0 }: WorkBegun, now: () => number) {
		super(total, done, now);
		this.name = printable(trial > 0 ? `trial ${trial}: ${name}` : name);
		this.trial = trial;
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

/** Identifies a running phase: trials of a sweep that run at once have the same phases. */
export function keyOfPhase({ trial = 0, name }: Pick<WorkBegun, "trial" | "name">): string {
	return `${trial} ${name}`;
}
