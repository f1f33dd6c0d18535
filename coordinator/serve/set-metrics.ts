import { readMetrics, readRunResult } from "../run-folder/result-files.ts";

/** How a model did on one set of its run. */
export interface SetMetrics {
	readonly set: string;
	readonly accuracy: number;
	readonly loss: number;
}

/** What the run's result says of its model; while it trains, the epoch best on validation so far. Empty where neither is. */
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
