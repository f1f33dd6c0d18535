import { findJoinedLabel, similarLabels } from "../data/label.ts";
import { shortName } from "../data/name-some.ts";
import type { ClassTexts } from "../run-folder/result.ts";

/** Largest number of reported groups of similar labels. */
const MOST_SIMILAR = 3;
/** With fewer training texts the scores of a class aren't reliable. */
const FEW_TEXTS = 10;

/** Lists warnings about classes with very few texts, about similar labels and about labels that seem to be several. */
export function listTextsWarnings(classes: readonly ClassTexts[]): string[] {
	return [...fewTextsWarning(classes), ...similarLabelsWarnings(classes), ...joinedLabelWarning(classes)];
}

/** Undersampling takes equally many texts of each class, so the smallest class limits all others. */
function fewTextsWarning(classes: readonly ClassTexts[]): string[] {
	const smallest = classes.find(({ unused }) => unused === 0);
	const isLimiting = classes.some(({ unused }) => unused > 0);
	if (!smallest || !isLimiting || smallest.train >= FEW_TEXTS) return [];
	const found = `class ${JSON.stringify(shortName(smallest.label))} has only ${smallest.train} texts for training`;
	return [`${found}, so --balance trains on as few of each class; --balance none uses all`];
}

function similarLabelsWarnings(classes: readonly ClassTexts[]): string[] {
	const groups = similarLabels(classes.map(({ label }) => label)).slice(0, MOST_SIMILAR);
	const quoted = groups.map((labels) => labels.map((label) => JSON.stringify(shortName(label))).join(" and "));
	return quoted.map((labels) => `labels ${labels} look alike, but are different classes`);
}

function joinedLabelWarning(classes: readonly ClassTexts[]): string[] {
	const label = findJoinedLabel(classes.map((own) => own.label));
	if (label === undefined) return [];
	return [`label ${JSON.stringify(shortName(label))} seems to be several; --multi-label expects | between them`];
}
