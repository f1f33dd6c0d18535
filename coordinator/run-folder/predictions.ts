import { join } from "node:path";
import { z } from "zod";
import { openRegularFile } from "../../shared/files/regular-file.ts";
import { replaceFile } from "../../shared/files/write-atomic.ts";
import { writeLines } from "../table/write-lines.ts";
import { parseAs } from "./result-files.ts";

/** Name of the file in a run folder: one JSON object per text of the validation and the test set. */
const PREDICTIONS_FILE = "predictions.jsonl";

/** Schema of a line of predictions.jsonl. */
export const predictionLineSchema = z.strictObject({
	set: z.enum(["validation", "test"]).describe("the set that the text belongs to"),
	source: z.string().describe('source of the text, for example "file:line"'),
	label: z.string().describe("the text's own label"),
	correct: z.boolean().describe("whether the predicted label is the text's own"),
	predicted: z.string().describe("the predicted label"),
	probabilities: z
		.record(z.string(), z.number().min(0).max(1))
		.describe("probability of each label, by its name; the sum is 1"),
	tokens: z.int().min(0).describe("tokens that were read"),
	cut: z.boolean().describe("whether the text had more tokens than were read"),
});

export type PredictionLine = z.infer<typeof predictionLineSchema>;

/** Writes predictions.jsonl atomically, a piece at a time. @throws TailtuneError "disk" */
export async function writePredictions(folder: string, predictions: Iterable<PredictionLine>): Promise<void> {
	await replaceFile(join(folder, PREDICTIONS_FILE), (file) => writeLines(file, toLines(predictions)));
}

function* toLines(predictions: Iterable<PredictionLine>): Generator<string> {
	for (const line of predictions) yield `${JSON.stringify(line)}\n`;
}

/**
 * Reads predictions.jsonl, one line at a time.
 * @throws TailtuneError "not-found" if there is none, "data" that names the line
 */
export async function* readPredictions(folder: string): AsyncGenerator<PredictionLine> {
	const path = join(folder, PREDICTIONS_FILE);
	const file = await openRegularFile(path, "data");
	let number = 0;
	try {
		for await (const line of file.readLines()) yield parseAs(predictionLineSchema, line, `${path} line ${++number}`);
	} finally {
		await file.close();
	}
}
