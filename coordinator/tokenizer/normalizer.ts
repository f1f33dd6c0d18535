import { z } from "zod";
import { type BertSettings, convertForBert } from "./bert-normalizer.ts";
import { buildPart } from "./build-part.ts";
import { compilePattern } from "./compile-pattern.ts";
import { convertToForm, convertToLowerCase } from "./normal-form.ts";
import { createPrecompiledNormalizer } from "./precompiled-normalizer.ts";
import { partSchema, type TokenizerDefinition, type TokenizerPart } from "./tokenizer-definition.ts";
import { readClass } from "./unicode-classes.ts";
import { ACCENTS } from "./unicode-tables.ts";

export type Normalize = (text: string) => string;

const TYPES =
	"NFC, NFD, NFKC, NFKD, BertNormalizer, Lowercase, Strip, StripAccents, Replace, Prepend, Precompiled or Sequence";

const sequenceSchema = z.object({ normalizers: z.array(partSchema) });
const bertSchema = z.object({
	clean_text: z.boolean(),
	handle_chinese_chars: z.boolean(),
	strip_accents: z.boolean().nullable().default(null),
	lowercase: z.boolean(),
}) satisfies z.ZodType<BertSettings>;
const stripSchema = z.object({ strip_left: z.boolean(), strip_right: z.boolean() });
const replaceSchema = z.object({
	pattern: z.union([z.object({ String: z.string().min(1) }), z.object({ Regex: z.string() })]),
	content: z.string(),
});

/**
 * Returns the normalizer of a tokenizer, with the results of Hugging Face's library.
 * @throws TailtuneError "model" if it can't be used
 */
export function createNormalizer(definition: TokenizerDefinition): Normalize {
	const { normalizer } = definition.json;
	return normalizer === null ? (text) => text : buildPart(definition, "normalizer", normalizer, TYPES, build);
}

function build(part: TokenizerPart): Normalize {
	switch (part.type) {
		case "Sequence": {
			const all = sequenceSchema.parse(part).normalizers.map(build);
			return (text) => all.reduce((before, normalize) => normalize(before), text);
		}
		case "NFC":
		case "NFD":
		case "NFKC":
		case "NFKD": {
			const { type } = part;
			return (text) => convertToForm(text, type);
		}
		case "BertNormalizer": {
			const settings = bertSchema.parse(part);
			return (text) => convertForBert(text, settings);
		}
		case "Lowercase":
			return convertToLowerCase;
		case "Strip":
			return buildStrip(part);
		case "StripAccents": {
			const accents = new RegExp(`[${readClass(ACCENTS)}]+`, "gu");
			return (text) => text.replaceAll(accents, "");
		}
		case "Replace":
			return buildReplace(part);
		case "Prepend": {
			const { prepend } = z.object({ prepend: z.string() }).parse(part);
			return (text) => (text === "" ? text : `${prepend}${text}`);
		}
		case "Precompiled":
			return createPrecompiledNormalizer(
				z.object({ precompiled_charsmap: z.string() }).parse(part).precompiled_charsmap,
			);
		default:
			throw new Error(part.type);
	}
}

function buildStrip(part: TokenizerPart): Normalize {
	const { strip_left, strip_right } = stripSchema.parse(part);
	return (text) => {
		const left = strip_left ? text.replace(/^\p{White_Space}+/u, "") : text;
		return strip_right ? left.slice(0, left.length - countSpaces(left)) : left;
	};
}

/** Counts the white space at the end of a text. A pattern would need quadratic time for long white space elsewhere. */
function countSpaces(text: string): number {
	let start = text.length;
	while (start > 0 && /\p{White_Space}/u.test(text[start - 1] as string)) start--;
	return text.length - start;
}

function buildReplace(part: TokenizerPart): Normalize {
	const { pattern, content } = replaceSchema.parse(part);
	const found = "String" in pattern ? pattern.String : compilePattern(pattern.Regex);
	return (text) => text.replaceAll(found, () => content);
}
