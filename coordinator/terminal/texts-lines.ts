import { similarLabels } from "../data/label.ts";
import { shortName } from "../data/name-some.ts";
import { formatCount } from "../format.ts";
import type { ClassTexts, RunResult } from "../run-folder/result.ts";
import { cutLines } from "./classification-lines.ts";

/** A run's texts: what became of each class's, and how many were cut. */
export interface TextsSummary {
	readonly classTexts: readonly ClassTexts[];
	readonly cut: RunResult["cut"];
	/** The limit to which texts were cut. */
	readonly maxTokens: number;
}

/** As many classes are named in a line. */
const MOST_CLASSES = 6;
/** As many groups of labels that look alike are warned of. */
const MOST_SIMILAR = 3;
/** With fewer training texts of a class its scores say little. */
const FEW_TEXTS = 10;

/** A line on the texts that were read and those that are not used, and one if texts were cut. */
export function textsLines({ classTexts, cut, maxTokens }: TextsSummary): string[] {
	const sets = (["train", "validation", "test"] as const).map((set) => sum(classTexts, set));
	const [train = 0, validation = 0, test = 0] = sets.map(formatCount);
	const read = `read ${formatCount(sum(classTexts, "read"))} texts: ${byClass(classTexts, "read")}`;
	const used = `${train} for training, ${validation} for validation, ${test} for the test`;
	const cutTexts = cut.train + cut.validation + cut.test;
	const all = sets.reduce((total, count) => total + count, 0);
	return [`${read}; ${used}; ${unusedPart(classTexts)}`, ...cutLines(cutTexts, all, maxTokens)];
}

/** Warnings of classes with very few texts, and of labels that look alike. */
export function textsWarnings({ classTexts }: TextsSummary): string[] {
	const few = smallestOf(classTexts);
	const isTooFew = few !== undefined && few.train < FEW_TEXTS && classTexts.some(({ unused }) => unused > 0);
	const fewWarning = `class ${JSON.stringify(shortName(few?.label ?? ""))} has only ${few?.train} texts for training, so --balance trains on as few of each class; --balance false uses all`;
	const similar = similarLabels(classTexts.map(({ label }) => label)).slice(0, MOST_SIMILAR);
	const alike = similar.map(
		(labels) =>
			`labels ${labels.map((label) => JSON.stringify(shortName(label))).join(" and ")} look alike, but are different classes`,
	);
	return [...(isTooFew ? [fewWarning] : []), ...alike];
}

function unusedPart(classTexts: readonly ClassTexts[]): string {
	const dropped = classTexts.filter(({ unused }) => unused > 0);
	if (dropped.length === 0) return "all are used";
	const reason = `--balance takes as many of each class as of ${JSON.stringify(shortName(smallestOf(classTexts)?.label ?? ""))}`;
	return `not used: ${byClass(dropped, "unused")} (${reason})`;
}

/** The class that --balance takes all texts of, and as many of every other. */
function smallestOf(classTexts: readonly ClassTexts[]): ClassTexts | undefined {
	return classTexts.find(({ unused }) => unused === 0);
}

function byClass(classTexts: readonly ClassTexts[], count: "read" | "unused"): string {
	const named = classTexts.slice(0, MOST_CLASSES).map((of) => `${shortName(of.label)} ${formatCount(of[count])}`);
	const others = classTexts.slice(MOST_CLASSES);
	const rest = `${formatCount(sum(others, count))} of ${others.length} more classes`;
	return [...named, ...(others.length > 0 ? [rest] : [])].join(", ");
}

function sum(classTexts: readonly ClassTexts[], count: "read" | "train" | "validation" | "test" | "unused"): number {
	return classTexts.reduce((total, of) => total + of[count], 0);
}
