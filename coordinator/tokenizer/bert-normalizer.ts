import { convertToForm, convertToLowerCase } from "./normal-form.ts";
import { readClass } from "./unicode-classes.ts";
import { BERT_ACCENTS, BERT_REMOVED } from "./unicode-tables.ts";

const REMOVED = new RegExp(`[${readClass(BERT_REMOVED)}]+`, "gu");
const OTHER_SPACE = /[^\P{White_Space} ]/gu;
const ACCENTS = new RegExp(`[${readClass(BERT_ACCENTS)}]+`, "gu");

/** Ideographs as in BERT's code, which leaves out the newer blocks. */
const IDEOGRAPH =
	/[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Settings of BERT's normalizer. */
export interface BertSettings {
	/** Whether control characters are removed, and white space becomes blanks. */
	readonly clean_text: boolean;
	/** Whether ideographs are words of their own. */
	readonly handle_chinese_chars: boolean;
	/** Whether accents are removed; null: if `lowercase` is set. */
	readonly strip_accents: boolean | null;
	readonly lowercase: boolean;
}

/** Normalizes a text as BERT does. */
export function convertForBert(given: string, settings: BertSettings): string {
	let text = given;
	if (settings.clean_text) text = text.replaceAll(REMOVED, "").replaceAll(OTHER_SPACE, " ");
	if (settings.handle_chinese_chars) text = text.replaceAll(IDEOGRAPH, " $& ");
	if (settings.strip_accents ?? settings.lowercase) text = convertToForm(text, "NFD").replaceAll(ACCENTS, "");
	return settings.lowercase ? convertToLowerCase(text) : text;
}
