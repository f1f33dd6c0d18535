import { join } from "node:path";
import { writeFileAtomic } from "../../shared/files/write-atomic.ts";
import { readMetrics, readRunResult } from "../run-folder/result-files.ts";
import { readRunConfig } from "../run-folder/run-folder.ts";
import { readTestDetails } from "../run-folder/test-details.ts";
import { renderReport } from "./render-report.ts";

/** Name of the file in a run folder. */
const REPORT_FILE = "report.html";

/**
 * Writes the report of a finished run from the files in its folder.
 * @throws TailtuneError "not-found" or "data" if config.json, result.json, metrics.jsonl or
 *   test-details.json can't be used, "disk"
 */
export async function writeReport(runFolder: string): Promise<void> {
	const [result, metrics, config, details] = await Promise.all([
		readRunResult(runFolder),
		readMetrics(runFolder),
		readRunConfig(runFolder),
		readTestDetails(runFolder),
	]);
	await writeFileAtomic(join(runFolder, REPORT_FILE), renderReport(result, metrics, config, details));
}
