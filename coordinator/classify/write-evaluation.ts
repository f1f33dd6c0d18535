import { replaceFile } from "../../shared/files/write-atomic.ts";
import { type Example, labelsOf } from "../data/dataset.ts";
import { nameLabels } from "../metrics/probabilities.ts";
import { outputFormatOf, toCsvLine, toJsonLine } from "../table/output-format.ts";
import { predictionColumns } from "../table/prediction-columns.ts";
import { writeLines } from "../table/write-lines.ts";
import type { TextAnswer } from "./classifier.ts";
import { toTablePrediction } from "./table-lines.ts";

/**
 * Writes a table with the answer to each labelled text, and whether it is correct.
 * @param out the file; its extension decides the format
 * @param examples the texts, their labels as indices of `labels`
 * @param answers one per text
 * @throws TailtuneError "usage" for another extension, "disk"
 */
export async function writeEvaluation(
	out: string,
	labels: readonly string[],
	examples: readonly Example[],
	answers: readonly TextAnswer[],
): Promise<void> {
	const format = outputFormatOf(out);
	const columns = predictionColumns(format, labels, { label: "predicted" });
	const names = ["source", "label", "correct", ...columns.names];
	const lines = function* () {
		if (format === "csv") yield toCsvLine(names);
		for (const [index, example] of examples.entries()) {
			const answer = answers[index] as TextAnswer;
			const [own, predicted] = [labelsOf(example), answer.labels].map((of) => nameLabels(labels, of));
			const prediction = columns.valuesOf(toTablePrediction(answer, labels));
			const values = [example.source, own, own === predicted, ...prediction];
			yield format === "csv" ? toCsvLine(values) : toJsonLine(names, values);
		}
	};
	await replaceFile(out, (file) => writeLines(file, lines()));
}
