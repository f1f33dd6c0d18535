import { readClass } from "./unicode-classes.ts";
import { LATER_FORMS } from "./unicode-tables.ts";

export type NormalForm = "NFC" | "NFD" | "NFKC" | "NFKD";

/** Runs of characters whose forms are the same in all versions of Unicode from 9 on. */
const SAME_FORMS = new RegExp(`[^${readClass(LATER_FORMS)}]+`, "gu");

/**
 * Puts a text into one of Unicode's normal forms, of Unicode 9 as in Hugging Face's tokenizers. Characters that got
 * their forms later stay as they are, and no accent moves across them.
 */
export function convertToForm(text: string, form: NormalForm): string {
	return text.replaceAll(SAME_FORMS, (run) => run.normalize(form));
}

/** Converts a text to lower case, each character alone: Σ at the end of a word is σ too. */
export function convertToLowerCase(text: string): string {
	return text.replaceAll("\u03a3", "\u03c3").toLowerCase();
}
