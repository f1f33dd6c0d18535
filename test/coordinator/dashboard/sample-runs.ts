import { join } from "node:path";
import { type PredictionLine, writePredictions } from "../../../coordinator/run-folder/predictions.ts";
import { appendMetrics, METRICS_FILE, writeRunResult } from "../../../coordinator/run-folder/result-files.ts";
import { createRunFolder } from "../../../coordinator/run-folder/run-folder.ts";
import { writeTestDetails } from "../../../coordinator/run-folder/test-details.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { writeModel } from "../../serve/run-folder.ts";
import { sampleDetails } from "../run-folder/sample-details.ts";
import { sampleMetrics, sampleResult } from "../run-folder/sample-run.ts";

/** Test texts of `sampleRun`: of the second label but predicted as the first one, except the first text. */
const SOURCES = ["mails.tsv:1", "mails.tsv:2", ...sampleDetails(["a", "b"]).mistakes.map(({ source }) => source)];

/** Creates the folder of a run that this process still uses. Returns functions that add lines and that finish it. */
export async function sampleRun(out: string, settings: object, labels: readonly [string, string]) {
	const { path, release } = await createRunFolder(await resolveConfig({ data: "mails.tsv", ...settings, out }));
	const lines = sampleMetrics();
	return {
		release,
		/** Writes the next evaluations. */
		async add(count: number) {
			for (const line of lines.splice(0, count)) await appendMetrics(join(path, METRICS_FILE), line);
		},
		/** @param right whether the second text is predicted right */
		async finish(right: boolean) {
			const ofText = (source: string, i: number): PredictionLine => {
				const correct = i === 0 || (i === 1 && right);
				const label = labels[correct ? 0 : 1];
				const probabilities = { [labels[0]]: 0.9 - i / 100, [labels[1]]: 0.1 + i / 100 };
				return {
					...{ set: "test", source, label, predicted: labels[0], probabilities },
					correct,
					tokens: 3,
					cut: false,
				};
			};
			await writeModel(path, 1, undefined, labels);
			await writePredictions(path, SOURCES.map(ofText));
			await writeTestDetails(path, sampleDetails(labels));
			await writeRunResult(path, sampleResult(labels));
			await release();
		},
	};
}
