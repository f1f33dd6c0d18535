import type { MetricsLine } from "../run-folder/result.ts";

/** Data of a chart. A null means that the series has no value at that point. */
export interface ChartData {
	/** Number of training texts seen at each point, ascending. */
	readonly examplesSeen: readonly number[];
	/** Ends of epochs, with the epochs' numbers. */
	readonly epochs: readonly { readonly epoch: number; readonly examplesSeen: number }[];
	readonly series: readonly ChartSeries[];
}

export interface ChartSeries {
	readonly set: "train" | "validation";
	/** step: evaluations on a few batches; epoch: evaluations at the end of an epoch. */
	readonly kind: MetricsLine["kind"];
	readonly values: readonly (number | null)[];
}

/** Builds the curves of a measure; those of evaluations within epochs only if there are such evaluations. */
export function chartData(metrics: readonly MetricsLine[], measure: "loss" | "accuracy"): ChartData {
	const lines = metrics.toSorted((a, b) => a.examplesSeen - b.examplesSeen);
	const kinds = (["step", "epoch"] as const).filter((kind) => lines.some((line) => line.kind === kind));
	const sets = ["train", "validation"] as const;
	return {
		examplesSeen: lines.map(({ examplesSeen }) => examplesSeen),
		epochs: lines.filter(({ kind }) => kind === "epoch").map(({ epoch, examplesSeen }) => ({ epoch, examplesSeen })),
		series: kinds.flatMap((kind) =>
			sets.map((set) => ({
				set,
				kind,
				values: lines.map((line) => (line.kind === kind ? line[set][measure] : null)),
			})),
		),
	};
}
