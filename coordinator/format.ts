import { basename, isAbsolute } from "node:path";
import { formatCorrelation, formatPercent, formatScore, formatShare, formatUnits } from "./format-numbers.js";
import type { Metric } from "./metrics/best-score.ts";

export {
	formatBytes,
	formatCorrelation,
	formatCount,
	formatEta,
	formatLoss,
	formatPercent,
	formatProgress,
	formatRate,
	formatScore,
	formatSeconds,
	formatShare,
	formatUnits,
} from "./format-numbers.js";

/** A number of epochs, as in "1 epoch", "5 epochs". */
export function formatEpochs(epochs: number): string {
	return formatUnits(epochs, "epochs");
}

/** A confidence interval of a share, as in "96.1–98.2 %"; a dash for null. */
export function formatShareInterval(interval: readonly [number, number] | null): string {
	return interval === null ? "–" : `${(interval[0] * 100).toFixed(1)}–${formatPercent(interval[1])}`;
}

/** A share with its confidence interval, as in "97.3 % (96.1–98.2 %)"; without it if it is null. */
export function formatShareWithInterval(share: number | null, interval: readonly [number, number] | null): string {
	return interval === null ? formatShare(share) : `${formatShare(share)} (${formatShareInterval(interval)})`;
}

/** A confidence interval of a correlation, as in "0.912 to 0.964"; a dash for null. */
export function formatCorrelationInterval(interval: readonly [number, number] | null): string {
	return interval === null ? "–" : interval.map(formatCorrelation).join(" to ");
}

/** A mean score with its standard deviation, as in "97.3 % ± 0.4"; without it if it is null. */
export function formatSpread(metric: Metric, { mean, deviation }: { mean: number; deviation: number | null }): string {
	const score = formatScore(metric, mean);
	if (deviation === null) return score;
	const isShare = metric !== "loss" && metric !== "mcc";
	return isShare ? `${score} ± ${(deviation * 100).toFixed(1)}` : `${score} ± ${formatScore(metric, deviation)}`;
}

/** A time in the zone of this machine, as in "2026-03-14 15:09". */
export function formatLocalTime(date: Date): string {
	return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16).replace("T", " ");
}

/** The last part of an absolute path; any other name of a model or of data with a short commit. */
export function nameOfPath(name: string): string {
	return isAbsolute(name) ? basename(name) : name.replace(/@([0-9a-f]{7})[0-9a-f]{33}(?=:|$)/, "@$1");
}

/** The last part of the name of a model or of data, for headings and lists. */
export function shortNameOf(name: string): string {
	return basename(nameOfPath(name));
}

/** A word as it has to be typed for a POSIX shell to take it as it is. */
export function shellWord(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
