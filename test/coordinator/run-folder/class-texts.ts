import type { ClassTexts } from "../../../coordinator/run-folder/result.ts";

/** Creates the counts of a class, with one text for validation. @param unused texts that were read and left out */
export function classTexts(label: string, read: number, unused = 0, train = read - unused - 2): ClassTexts {
	return { label, read, train, validation: 1, test: read - unused - train - 1, unused, repeats: 0 };
}
