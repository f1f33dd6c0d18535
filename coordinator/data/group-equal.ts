import type { TrainConfig } from "../../shared/settings/config.ts";

type Dedupe = TrainConfig["dedupe"];

/**
 * Groups equal texts.
 * @param dedupe which texts count as equal; none: each text is a group
 * @returns indices of the texts of each group, in order; groups are in the order of their first texts
 */
export function groupEqual(texts: readonly { readonly text: string }[], dedupe: Dedupe): number[][] {
	if (dedupe === "none") return texts.map((_, index) => [index]);
	const groups = new Map<string, number[]>();
	for (const [index, { text }] of texts.entries()) {
		const key = dedupe === "near" ? foldText(text) : text;
		const group = groups.get(key);
		if (group) group.push(index);
		else groups.set(key, [index]);
	}
	return [...groups.values()];
}

/**
 * Returns a text without its small differences: in Unicode's compatibility form (NFKC), in lower case, numbers as 0,
 * each run of white space as one space.
 */
export function foldText(text: string): string {
	return text
		.normalize("NFKC")
		.toLowerCase()
		.replaceAll(/\p{Nd}+/gu, "0")
		.replaceAll(/\p{White_Space}+/gu, " ")
		.trim();
}
