import { readMetrics, readRunResult } from "../run-folder/result-files.ts";

/** A model's accuracy and loss on one set of its run. */
export interface SetMetrics {
	readonly set: string;
	readonly accuracy: number;
	readonly loss: number;
}

/**
 * Reads the metrics of a run's model: of its result or, while it trains, of the epoch that is best on validation. Empty
 * if there are none.
 */
export async function readSetMetrics(run: string): Promise<SetMetrics[]> {
	const result = await readRunResult(run).catch(() => undefined);
	if (result) {
		const { accuracy, loss } = result;
		return (["train", "validation", "test"] as const).map((set) => ({ set, accuracy: accuracy[set], loss: loss[set] }));
	}
	const lines = await readMetrics(run).catch(() => []);
	const [best] = lines
		.filter(({ kind }) => kind === "epoch")
		.sort((a, b) => b.validation.accuracy - a.validation.accuracy || a.validation.loss - b.validation.loss);
	return best ? (["train", "validation"] as const).map((set) => ({ set, ...best[set] })) : [];
}
