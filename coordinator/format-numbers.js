// The formats of numbers in the terminal, in reports and in the dashboard. In JavaScript, because browsers load it too.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * A whole number with thousands set apart, as in "1,494".
 * @param {number} count
 */
export function formatCount(count) {
	return grouped.format(count);
}

/**
 * A share in [0, 1] with one decimal, as in "97.3 %".
 * @param {number} share
 */
export function formatPercent(share) {
	return `${(share * 100).toFixed(1)} %`;
}

/**
 * A share as a percentage; a dash for null, which is 0 / 0.
 * @param {number | null} share
 */
export function formatShare(share) {
	return share === null ? "–" : formatPercent(share);
}

/**
 * A loss with three decimals; in exponent form if those would hide it.
 * @param {number} loss
 */
export function formatLoss(loss) {
	return loss > 0 && loss < 0.001 ? loss.toExponential(1) : loss.toFixed(3);
}

/**
 * A correlation in [-1, 1] with three decimals; a dash for null.
 * @param {number | null} value
 */
export function formatCorrelation(value) {
	return value === null ? "–" : value.toFixed(3);
}

/**
 * A score in the form of its metric: a loss, a correlation, or a percentage.
 * @param {import("./metrics/best-score.ts").Metric} metric
 * @param {number} score
 */
export function formatScore(metric, score) {
	if (metric === "loss") return formatLoss(score);
	return metric === "mcc" ? formatCorrelation(score) : formatPercent(score);
}

/**
 * A duration, as in "57 ms", "1.8 s", "38 s", "1 min 05 s", "2 h 03 min".
 * @param {number} seconds
 */
export function formatSeconds(seconds) {
	if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
	if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
	const whole = Math.round(seconds);
	if (whole < 60) return `${whole} s`;
	if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
	const minutes = Math.round(seconds / 60);
	return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/**
 * Estimated seconds, as in "about 12 s left".
 * @param {number} seconds
 */
export function formatEta(seconds) {
	return `about ${seconds < 10 ? `${Math.ceil(seconds)} s` : formatSeconds(seconds)} left`;
}

/**
 * Units per second: a whole number with thousands set apart, or one decimal if it is small.
 * @param {number} perSecond
 */
export function formatRate(perSecond) {
	return perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/**
 * A size in binary units, as in "512 B", "1.3 GiB".
 * @param {number} bytes
 */
export function formatBytes(bytes) {
	if (bytes < 1024) return `${Math.round(bytes)} B`;
	const units = ["KiB", "MiB", "GiB", "TiB"];
	const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
	return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

/**
 * Units of a phase, as in "1.2 GiB", "1 step" or "1,200 steps".
 * @param {number} units
 * @param {string} unit
 */
export function formatUnits(units, unit) {
	if (unit === "bytes") return formatBytes(units);
	return `${formatCount(units)} ${units === 1 ? unit.replace(/s$/, "") : unit}`;
}

/**
 * The progress of a phase, as in "3 of 9 steps"; without the total if it is 0, which means unknown.
 * @param {number} done
 * @param {number} total
 * @param {string} unit
 */
export function formatProgress(done, total, unit) {
	if (total === 0) return formatUnits(done, unit);
	return `${unit === "bytes" ? formatBytes(done) : formatCount(done)} of ${formatUnits(total, unit)}`;
}

/** The formats of the axes and values of curves. */
export const CURVE_FORMATS = {
	count: formatCount,
	seconds: formatSeconds,
	loss: formatLoss,
	accuracy: formatPercent,
};

/** @param {number} value */
function twoDigits(value) {
	return String(value).padStart(2, "0");
}
