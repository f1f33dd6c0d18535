import { findBestEpoch } from "../run-folder/find-best-epoch.ts";
import type { MetricsLine } from "../run-folder/result.ts";
import { readMetrics, readRunResult } from "../run-folder/result-files.ts";
import { readRunConfig } from "../run-folder/run-folder.ts";

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
	const best = await readBestEpoch(run).catch(() => undefined);
	return best ? (["train", "validation"] as const).map((set) => metricsOf(set, best[set])) : [];
}

async function readBestEpoch(run: string): Promise<MetricsLine | undefined> {
	const { metric = "accuracy" } = await readRunConfig(run);
	return findBestEpoch(await readMetrics(run), metric);
}

function metricsOf(set: string, { accuracy, loss }: MetricsLine["train"]): SetMetrics {
	return { set, accuracy, loss };
}
