import { similarLabels } from "../data/label.ts";
import { shortName } from "../data/name-some.ts";
import type { ClassTexts } from "../run-folder/result.ts";

/** At most so many groups of similar labels are reported. */
const MOST_SIMILAR = 3;
/** With fewer training texts the scores of a class say little. */
const FEW_TEXTS = 10;

/** Warnings about classes with very few texts, and about labels that look alike. */
export function textsWarnings(classes: readonly ClassTexts[]): string[] {
	return [...fewTextsWarning(classes), ...similarLabelsWarnings(classes)];
}

/** The smallest class limits all others, since `--balance` takes as many texts of each. */
function fewTextsWarning(classes: readonly ClassTexts[]): string[] {
	const smallest = classes.find(({ unused }) => unused === 0);
	const isLimiting = classes.some(({ unused }) => unused > 0);
	if (!smallest || !isLimiting || smallest.train >= FEW_TEXTS) return [];
	const found = `class ${JSON.stringify(shortName(smallest.label))} has only ${smallest.train} texts for training`;
	return [`${found}, so --balance trains on as few of each class; --balance false uses all`];
}

function similarLabelsWarnings(classes: readonly ClassTexts[]): string[] {
	const groups = similarLabels(classes.map(({ label }) => label)).slice(0, MOST_SIMILAR);
	const quoted = groups.map((labels) => labels.map((label) => JSON.stringify(shortName(label))).join(" and "));
	return quoted.map((labels) => `labels ${labels} look alike, but are different classes`);
}
