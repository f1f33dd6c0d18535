import type { MetricsLine } from "../run-folder/result.ts";

/** What a chart draws. A null is a place where that series has no value. */
export interface ChartData {
	/** Training texts learned from, rising. */
	readonly examplesSeen: readonly number[];
	/** Where epochs end, with their numbers. */
	readonly epochs: readonly { readonly epoch: number; readonly examplesSeen: number }[];
	readonly series: readonly ChartSeries[];
}

export interface ChartSeries {
	readonly set: "train" | "validation";
	/** step: from a few batches; epoch: the evaluations that end epochs. */
	readonly kind: MetricsLine["kind"];
	readonly values: readonly (number | null)[];
}

/** The curves of one number; those of mid-epoch evaluations are left out where there are none. */
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
