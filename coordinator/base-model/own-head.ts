import type { ModelFiles } from "../../shared/model/model-files.ts";
import { quote } from "../../shared/model/safetensors-header.ts";
import type { RunEvents } from "../events/run-events.ts";

/** The names that transformers gives to classes without a name. */
const PLACEHOLDER = /^LABEL_\d+$/;

/**
 * Finds the data's labels in the model's own head by their names, and prints one line that says what is done with that head:
 * the number of a class says nothing, since another training numbered its labels in its own order.
 * @returns for each label the row of the model's head; undefined if a new head has to be made
 */
export function matchHeadRows(
	model: Pick<ModelFiles, "labels" | "tensors">,
	labels: readonly string[],
	events: Pick<RunEvents, "line">,
): number[] | undefined {
	const head = model.tensors.get("score.weight");
	if (!head) return undefined;
	const names = model.labels?.every((name) => PLACEHOLDER.test(name)) ? undefined : model.labels;
	const rows = labels.map((label) => names?.indexOf(label) ?? -1);
	if (names?.length === labels.length && !rows.includes(-1)) {
		events.line("the model's head has the data's labels: training goes on from it");
		return rows;
	}
	const found = names
		? `the labels ${names.map((name) => quote(name)).join(", ")}`
		: `${head.shape[0]} labels without names`;
	events.line(`the model's head has ${shorten(found)}, not those of the data: training begins with a new head`);
	return undefined;
}

function shorten(text: string): string {
	return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
