const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A whole number, as in "1,494". */
export function asCount(count) {
	return grouped.format(count);
}

/** A share with one decimal, as in "97.3 %". */
export function asPercent(share) {
	return share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
}

export function asLoss(loss) {
	return loss > 0 && loss < 0.001 ? loss.toExponential(1) : loss.toFixed(3);
}

/** Something per second, as in "0.4" or "1,200". */
export function asSpeed(speed) {
	return speed < 10 ? speed.toFixed(1) : asCount(speed);
}

/** A duration, as in "38 s", "1 min 05 s", "2 h 03 min". */
export function asSeconds(seconds) {
	const whole = Math.round(seconds);
	if (whole < 60) return `${whole} s`;
	if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
	const minutes = Math.round(seconds / 60);
	return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Units of a phase, as in "1.2 GiB" or "1,200 steps". */
export function asUnits(units, unit) {
	if (unit !== "bytes") return `${asCount(units)} ${unit}`;
	if (units < 1 << 20) return `${(units / (1 << 10)).toFixed(1)} KiB`;
	return units < 1 << 30 ? `${(units / (1 << 20)).toFixed(1)} MiB` : `${(units / (1 << 30)).toFixed(1)} GiB`;
}

/** The progress of a phase, as in "3 of 9 steps". */
export function asProgress(done, total, unit) {
	return total > 0 && unit !== "bytes" ? `${asCount(done)} of ${asCount(total)} ${unit}` : asUnits(done, unit);
}

/** The formats of the curves. */
export const CURVE_FORMATS = { count: asCount, seconds: asSeconds, loss: asLoss, accuracy: asPercent };
