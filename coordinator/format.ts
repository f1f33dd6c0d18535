import { basename, isAbsolute } from "node:path";
import type { Metric } from "./metrics/best-score.ts";

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A whole number with thousands set apart, as in "1,494". */
export function formatCount(count: number): string {
	return grouped.format(count);
}

/** A number of epochs, as in "1 epoch", "5 epochs". */
export function formatEpochs(epochs: number): string {
	return `${epochs} epoch${epochs === 1 ? "" : "s"}`;
}

/** A share in [0, 1] with one decimal, as in "97.3 %". */
export function formatPercent(share: number): string {
	return `${(share * 100).toFixed(1)} %`;
}

/** A share as a percentage; a dash for null, which is 0 / 0. */
export function formatShare(share: number | null): string {
	return share === null ? "–" : formatPercent(share);
}

/** A confidence interval of a share, as in "96.1–98.2 %"; a dash for null. */
export function formatShareInterval(interval: readonly [number, number] | null): string {
	return interval === null ? "–" : `${(interval[0] * 100).toFixed(1)}–${formatPercent(interval[1])}`;
}

/** A share with its confidence interval, as in "97.3 % (96.1–98.2 %)"; without it if it is null. */
export function formatShareWithInterval(share: number | null, interval: readonly [number, number] | null): string {
	return interval === null ? formatShare(share) : `${formatShare(share)} (${formatShareInterval(interval)})`;
}

/** A correlation in [-1, 1] with three decimals; a dash for null. */
export function formatCorrelation(value: number | null): string {
	return value === null ? "–" : value.toFixed(3);
}

/** A confidence interval of a correlation, as in "0.912 to 0.964"; a dash for null. */
export function formatCorrelationInterval(interval: readonly [number, number] | null): string {
	return interval === null ? "–" : interval.map(formatCorrelation).join(" to ");
}

/** A loss with three decimals; in exponent form where those would hide it. */
export function formatLoss(loss: number): string {
	return loss > 0 && loss < 0.001 ? loss.toExponential(1) : loss.toFixed(3);
}

/** A score in the form of its metric: a loss, a correlation, or a percentage. */
export function formatScore(metric: Metric, score: number): string {
	if (metric === "loss") return formatLoss(score);
	return metric === "mcc" ? formatCorrelation(score) : formatPercent(score);
}

/** A mean score with its standard deviation, as in "97.3 % ± 0.4"; without it if it is null. */
export function formatSpread(metric: Metric, { mean, deviation }: { mean: number; deviation: number | null }): string {
	const score = formatScore(metric, mean);
	if (deviation === null) return score;
	const isShare = metric !== "loss" && metric !== "mcc";
	return isShare ? `${score} ± ${(deviation * 100).toFixed(1)}` : `${score} ± ${formatScore(metric, deviation)}`;
}

/** A duration, as in "57 ms", "1.8 s", "38 s", "1 min 05 s", "2 h 03 min". */
export function formatSeconds(seconds: number): string {
	if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
	if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
	const whole = Math.round(seconds);
	if (whole < 60) return `${whole} s`;
	if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
	const minutes = Math.round(seconds / 60);
	return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** Units per second: a whole number with thousands set apart, or one decimal if it is small. */
export function formatRate(perSecond: number): string {
	return perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** A time in the zone of this machine, as in "2026-03-14 15:09". */
export function formatLocalTime(date: Date): string {
	return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16).replace("T", " ");
}

/** The last part of an absolute path; any other name of a model or of data with a short commit. */
export function nameOfPath(name: string): string {
	return isAbsolute(name) ? basename(name) : name.replace(/@([0-9a-f]{7})[0-9a-f]{33}$/, "@$1");
}

/** A size in binary units, as in "512 B", "1.3 GiB". */
export function formatBytes(bytes: number): string {
	if (bytes < 1024) return `${bytes} B`;
	const units = ["KiB", "MiB", "GiB", "TiB"];
	const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
	return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** A word as it has to be typed for a POSIX shell to take it as it is. */
export function shellWord(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function twoDigits(value: number): string {
	return String(value).padStart(2, "0");
}
