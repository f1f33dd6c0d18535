import type { MetricsLine } from "../run-folder/result.ts";

/** Intervals of training texts of which the lowest and the highest losses are kept. */
const INTERVALS = 200;

/**
 * Leaves out lines, so that the report of a long run stays small, but keeps the extremes of both losses.
 * @returns the same lines if there are at most 4 per interval, otherwise at most that number, in their order
 */
export function thinMetrics(lines: readonly MetricsLine[]): readonly MetricsLine[] {
	const most = 4 * INTERVALS;
	if (lines.length <= most) return lines;
	const epochs = lines.filter(({ kind }) => kind === "epoch");
	const steps = lines.filter(({ kind }) => kind === "step");
	const kept = new Set([...keepExtremes(epochs, INTERVALS / 2), ...keepExtremes(steps, INTERVALS / 2)]);
	return lines.filter((line) => kept.has(line));
}

function keepExtremes(lines: readonly MetricsLine[], intervals: number): MetricsLine[] {
	if (lines.length <= 4 * intervals) return [...lines];
	const size = Math.ceil(lines.length / intervals);
	return Array.from({ length: intervals }, (_, i) => lines.slice(i * size, (i + 1) * size))
		.filter(({ length }) => length > 0)
		.flatMap((group) =>
			(["train", "validation"] as const).flatMap((set) => {
				const sorted = group.toSorted((a, b) => a[set].loss - b[set].loss);
				return [sorted[0] as MetricsLine, sorted.at(-1) as MetricsLine];
			}),
		);
}
