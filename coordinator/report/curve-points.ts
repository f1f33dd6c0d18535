import type { MetricsLine } from "../run-folder/result.ts";

/** A point of a curve. */
type Point = readonly [texts: number, seconds: number, value: number];

/**
 * Builds the curves of the charts, by set, kind of evaluation and measure, as in "train epoch loss", and the numbers of
 * the epochs at their ends ("epochs"). Curves without points are left out.
 */
export function curvePoints(metrics: readonly MetricsLine[]): Record<string, Point[]> {
	const lines = metrics.toSorted((a, b) => a.examplesSeen - b.examplesSeen);
	const curves: Record<string, Point[]> = {};
	const add = (name: string, { examplesSeen, seconds }: MetricsLine, value: number) => {
		curves[name] ??= [];
		curves[name].push([examplesSeen, seconds, value]);
	};
	for (const line of lines) {
		if (line.kind === "epoch") add("epochs", line, line.epoch);
		for (const set of ["train", "validation"] as const)
			for (const measure of ["loss", "accuracy"] as const) {
				add(`${set} ${line.kind} ${measure}`, line, line[set][measure]);
			}
	}
	return curves;
}
