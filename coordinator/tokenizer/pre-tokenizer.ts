import { z } from "zod";
import { buildPart } from "./build-part.ts";
import { writeBytes } from "./byte-characters.ts";
import { splitIntoWords } from "./byte-level.ts";
import { byteLevelSchema, sequenceSchema } from "./byte-level-words.ts";
import { compilePattern } from "./compile-pattern.ts";
import { escapePattern, splitBehavior, splitText } from "./split-text.ts";
import type { TokenizerDefinition, TokenizerPart } from "./tokenizer-definition.ts";
import { type CodePointRanges, formatClass, readClass, unionOf, wordRanges } from "./unicode-classes.ts";
import { NUMERIC, PUNCTUATION } from "./unicode-tables.ts";

/** A text in parts. */
export interface Parts {
	readonly texts: readonly string[];
	/** Whether the first part is the beginning of the whole text. */
	readonly isStart: boolean;
}

/** Divides parts of a text into smaller ones. */
export type Divide = (parts: Parts) => Parts;

/** Divides one text. */
type SplitOne = (text: string) => readonly string[];

/** Characters that Rust's patterns count to words, and Oniguruma's don't. */
const JOINERS: CodePointRanges = [[0x200c, 0x200d]];

const TYPES =
	"ByteLevel, BertPreTokenizer, Metaspace, Split, Whitespace, WhitespaceSplit, Punctuation, Digits, CharDelimiterSplit or Sequence";

/** Types of pre-tokenizers that only divide a text or leave out characters. */
const DIVIDING: readonly string[] = [
	...["Split", "CharDelimiterSplit", "Whitespace", "WhitespaceSplit", "Digits", "Punctuation", "BertPreTokenizer"],
];

const splitSchema = z.object({
	pattern: z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]),
	behavior: splitBehavior,
	invert: z.boolean().default(false),
});
const metaspaceSchema = z.object({
	replacement: z.string().length(1).default("▁"),
	add_prefix_space: z.boolean().nullish(),
	prepend_scheme: z.enum(["always", "first", "never"]).default("always"),
	split: z.boolean().nullish(),
});

/**
 * Returns a function that divides texts as some pre-tokenizers do, with the results of Hugging Face's library.
 * @throws TailtuneError "model" if one can't be used
 */
export function createPreTokenizer(definition: TokenizerDefinition, parts: readonly TokenizerPart[]): Divide {
	return divideInTurn(parts.map((part) => buildPart(definition, "pre_tokenizer", part, TYPES, build)));
}

/** Returns whether pre-tokenizers only divide a text or leave out characters: its parts have no more bytes than it. */
export function onlyDivide(parts: readonly TokenizerPart[]): boolean {
	return parts.every(({ type }) => DIVIDING.includes(type));
}

/** Returns a function that divides by each of some functions in turn. */
function divideInTurn(all: readonly Divide[]): Divide {
	return (given) => all.reduce((before, divide) => divide(before), given);
}

function build(part: TokenizerPart): Divide {
	switch (part.type) {
		case "Sequence":
			return divideInTurn(sequenceSchema.parse(part).pretokenizers.map(build));
		case "Split":
			return divideEach(buildSplit(part));
		case "CharDelimiterSplit": {
			const { delimiter } = z.object({ delimiter: z.string().min(1) }).parse(part);
			return divideEach((text) => text.split(delimiter));
		}
		case "Whitespace": {
			const word = formatClass(unionOf(wordRanges(), JOINERS));
			return divideEach(matching(new RegExp(`[${word}]+|[^${word}\\p{White_Space}]+`, "gu")));
		}
		case "WhitespaceSplit":
			return divideEach(matching(/\P{White_Space}+/gu));
		case "Digits":
			return divideEach(buildDigits(part));
		case "Punctuation": {
			const { behavior } = z.object({ behavior: splitBehavior.default("Isolated") }).parse(part);
			const sign = new RegExp(`[${readClass(PUNCTUATION)}]`, "gu");
			return divideEach((text) => splitText(text, sign, behavior));
		}
		case "BertPreTokenizer": {
			const sign = readClass(PUNCTUATION);
			return divideEach(matching(new RegExp(`[^\\p{White_Space}${sign}]+|[${sign}]`, "gu")));
		}
		case "Metaspace":
			return buildMetaspace(part);
		case "ByteLevel":
			return buildByteLevel(part);
		default:
			throw new Error(part.type);
	}
}

function buildSplit(part: TokenizerPart): SplitOne {
	const { pattern, behavior, invert } = splitSchema.parse(part);
	const compiled = "String" in pattern ? compileText(pattern.String) : compilePattern(pattern.Regex);
	return (text) => splitText(text, compiled, behavior, invert);
}

function compileText(text: string): RegExp {
	return new RegExp(escapePattern(text), "gu");
}

function buildDigits(part: TokenizerPart): SplitOne {
	const { individual_digits } = z.object({ individual_digits: z.boolean() }).parse(part);
	const digit = new RegExp(`[${readClass(NUMERIC)}]`, "gu");
	return (text) => splitText(text, digit, individual_digits ? "Isolated" : "Contiguous");
}

const matching =
	(pattern: RegExp): SplitOne =>
	(text) =>
		text.match(pattern) ?? [];

/** Divides each part; empty ones are left out. */
function divideEach(split: SplitOne): Divide {
	return ({ texts, isStart }) => {
		const divided = texts.flatMap((text) => split(text)).filter((text) => text !== "");
		return { texts: divided, isStart: isStart && texts[0]?.startsWith(divided[0] ?? "") === true };
	};
}

/** Writes blanks as another character, and divides before it. */
function buildMetaspace(part: TokenizerPart): Divide {
	const { replacement, add_prefix_space, prepend_scheme, split } = metaspaceSchema.parse(part);
	if (add_prefix_space === false && prepend_scheme !== "never") throw new Error("add_prefix_space");
	const pattern = compileText(replacement);
	return ({ texts, isStart }) => {
		const marked = texts.map((text, i) => {
			const written = text.replaceAll(" ", replacement);
			const prepends = prepend_scheme === "always" || (prepend_scheme === "first" && isStart && i === 0);
			return prepends && !written.startsWith(replacement) ? `${replacement}${written}` : written;
		});
		const divided = split === false ? marked : marked.flatMap((text) => splitText(text, pattern, "MergedWithNext"));
		return { texts: divided, isStart };
	};
}

/** Writes the bytes of each word as characters. */
function buildByteLevel(part: TokenizerPart): Divide {
	const { add_prefix_space, use_regex } = byteLevelSchema.parse(part);
	const divide = divideEach(use_regex ? splitIntoWords : (text) => [text]);
	return ({ texts, isStart }) => {
		const prefixed = texts.map((text) => (add_prefix_space && !text.startsWith(" ") ? ` ${text}` : text));
		const words = divide({ texts: prefixed, isStart }).texts;
		const written = words.map((word) => writeBytes(Buffer.from(word)));
		return { texts: written, isStart };
	};
}
