import type { ModelFiles } from "../../shared/model/model-files.ts";
import { quote } from "../../shared/model/safetensors-header.ts";
import { normalizeLabel } from "../data/label.ts";
import type { RunEvents } from "../events/run-events.ts";

/** Names that transformers gives to classes without a name. */
const PLACEHOLDER = /^LABEL_\d+$/;

/**
 * Matches the data's labels with those of the model's head, and prints one line about the result. Labels are matched by
 * name, because the order of classes may differ between the data and the model.
 * @returns for each label its row in the model's head; undefined if a new head is needed
 */
export function matchHeadRows(
	model: Pick<ModelFiles, "labels" | "tensors">,
	labels: readonly string[],
	events: Pick<RunEvents, "line">,
): number[] | undefined {
	const head = model.tensors.get("score.weight");
	if (!head) return undefined;
	const names = namesOf(model);
	const rows = labels.map((label) => names?.indexOf(label) ?? -1);
	if (names?.length === labels.length && !rows.includes(-1)) {
		events.line("the model's head has the same labels as the data: training continues from it");
		return rows;
	}
	const found = names
		? `the labels ${names.map((name) => quote(name)).join(", ")}`
		: `${head.shape[0]} labels without names`;
	events.line(`the model's head has ${shorten(found)}, not those of the data: training starts with a new head`);
	return undefined;
}

/** Returns the names of the head's classes in the form of the data's labels; undefined if a class has no name. */
function namesOf({ labels }: Pick<ModelFiles, "labels">): string[] | undefined {
	if (labels?.some((name) => PLACEHOLDER.test(name))) return undefined;
	return labels?.map(normalizeLabel);
}

function shorten(text: string): string {
	return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
