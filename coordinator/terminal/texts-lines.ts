import { shortName } from "../data/name-some.ts";
import { formatCount } from "../format.ts";
import type { ClassTexts, RunResult } from "../run-folder/result.ts";
import { cutLines } from "./classification-lines.ts";

/** The texts of a run: how many of each class are used, and how many were cut. */
export interface TextsSummary {
	readonly classes: readonly ClassTexts[];
	/** Texts of each set, if texts have several labels: then `classes` counts a text for each of its labels. */
	readonly texts?: Readonly<Record<"train" | "validation" | "test", number>> | undefined;
	readonly cut: RunResult["cut"];
	readonly windows: RunResult["windows"];
	/** The limit to which texts were cut. */
	readonly maxTokens: number;
}

/** The most classes named in a line. */
const MOST_CLASSES = 6;

/**
 * Formats one line with the numbers of texts read, used, not used and repeated; one more line if texts were cut or
 * divided into windows.
 */
export function textsLines({ classes: classTexts, texts, cut, windows, maxTokens }: TextsSummary): string[] {
	const sets = (["train", "validation", "test"] as const).map((set) => texts?.[set] ?? sum(classTexts, set));
	const [train = 0, validation = 0, test = 0] = sets.map(formatCount);
	const used = `${train} for training, ${validation} for validation, ${test} for the test`;
	const cutTexts = cut.train + cut.validation + cut.test;
	const all = sets.reduce((total, count) => total + count, 0);
	const read = `read ${formatCount(texts ? all : sum(classTexts, "read"))} texts: ${byClass(classTexts, "read")}`;
	const parts = [read, used, unusedPart(classTexts), ...repeatedPart(classTexts)];
	const allWindows = windows.train + windows.validation + windows.test;
	const divided = `${formatCount(all)} texts are read in ${formatCount(allWindows)} windows`;
	const windowsLine = allWindows > all ? [`${divided} of at most ${formatCount(maxTokens)} tokens`] : [];
	return [parts.join("; "), ...cutLines(cutTexts, all, maxTokens), ...windowsLine];
}

function unusedPart(classTexts: readonly ClassTexts[]): string {
	const dropped = classTexts.filter(({ unused }) => unused > 0);
	if (dropped.length === 0) return "all are used";
	const smallest = classTexts.find(({ unused }) => unused === 0)?.label ?? "";
	const reason = `--balance uses as many of each class as of ${JSON.stringify(shortName(smallest))}`;
	return `not used: ${byClass(dropped, "unused")} (${reason})`;
}

function repeatedPart(classTexts: readonly ClassTexts[]): string[] {
	const repeated = classTexts.filter(({ repeats }) => repeats > 0);
	return repeated.length > 0 ? [`repeated in each epoch: ${byClass(repeated, "repeats")} (--balance oversample)`] : [];
}

function byClass(classTexts: readonly ClassTexts[], count: "read" | "unused" | "repeats"): string {
	const named = classTexts.slice(0, MOST_CLASSES).map((of) => `${shortName(of.label)} ${formatCount(of[count])}`);
	const others = classTexts.slice(MOST_CLASSES);
	const rest = `${formatCount(sum(others, count))} of ${others.length} more classes`;
	return [...named, ...(others.length > 0 ? [rest] : [])].join(", ");
}

function sum(classTexts: readonly ClassTexts[], count: Exclude<keyof ClassTexts, "label">): number {
	return classTexts.reduce((total, of) => total + of[count], 0);
}
