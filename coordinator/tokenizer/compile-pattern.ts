import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import {
	type CodePointRanges,
	categoryRanges,
	complementOf,
	formatClass,
	readRanges,
	unionOf,
	unionOfCategories,
	wordRanges,
} from "./unicode-classes.ts";
import { ALPHABETIC } from "./unicode-tables.ts";

/** Stand for classes while the library translates a pattern: code points that no pattern contains, from this one on. */
const FIRST_PLACEHOLDER = 0x10ff00;
const PLACEHOLDER = /[\u{10ff00}-\u{10ffff}]/u;

/** `\w` outside a class also has these: ² ³ ¹ ¼ ½ ¾. */
const MORE_OF_WORD: CodePointRanges = [
	[0xb2, 0xb3],
	[0xb9, 0xb9],
	[0xbc, 0xbe],
];

/** Characters that are an ASCII letter if case doesn't count. */
const OTHER_CASES: Readonly<Record<string, string>> = { k: "\u212a", s: "\u017f" };

/** Letters that together have one character if case doesn't count, for example ß. */
const LIGATURES = /s[st]|f[fil]/i;

/**
 * Compiles a pattern of Hugging Face's tokenizers (Oniguruma's syntax) to a regular expression with the flags g and u.
 * The library translates the syntax; classes of characters are replaced by those of Oniguruma's version of Unicode.
 * @throws Error with a reason if the pattern can't be used
 */
export function compilePattern(pattern: string): RegExp {
	if (PLACEHOLDER.test(pattern)) throw new Error("private characters");
	const classes: string[] = [];
	const source = replaceClasses(foldCases(pattern), (ranges) => {
		classes.push(formatClass(ranges));
		return String.fromCodePoint(FIRST_PLACEHOLDER + classes.length - 1);
	});
	const { source: translated, flags } = translate(source);
	return new RegExp(insertClasses(translated, classes), flags);
}

/** Translates the syntax of a pattern from Oniguruma's to JavaScript's. */
function translate(pattern: string): RegExp {
	const pre_tokenizer = { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
	const model = { type: "BPE", vocab: {}, merges: [] };
	const content = { added_tokens: [], normalizer: null, pre_tokenizer, model, decoder: null, post_processor: null };
	const split = new LibraryTokenizer(content, {}).pre_tokenizer;
	if (split === null || !("pattern" in split) || !(split.pattern instanceof RegExp)) throw new Error("no pattern");
	return split.pattern;
}

const TOKENS = /\\[pP]\{[^}]*\}|\\[\s\S]|\[:[a-z]+:\]|[[\]]/gu;

/** Replaces classes that depend on Unicode's version, inside and outside of `[…]`. */
function replaceClasses(pattern: string, addClass: (ranges: CodePointRanges) => string): string {
	let depth = 0;
	return pattern.replaceAll(TOKENS, (text) => {
		if (text === "[") depth++;
		if (text === "]") depth = Math.max(0, depth - 1);
		const ranges = text.startsWith("[:") && depth === 0 ? undefined : rangesOf(text, depth > 0);
		return ranges === undefined ? text : addClass(ranges);
	});
}

/** Returns the characters of a class; undefined if it doesn't depend on Unicode's version, or isn't known. */
function rangesOf(text: string, isInside: boolean): CodePointRanges | undefined {
	const [, negated, name] = /^\\[pP]\{(\^?)([A-Za-z_]+)\}$/.exec(text) ?? [];
	if (name !== undefined) {
		const ranges = /^Alpha(betic)?$/.test(name) ? readRanges(ALPHABETIC) : categoryRanges(name);
		return ranges && text.startsWith("\\P") !== (negated === "^") ? complementOf(ranges) : ranges;
	}
	switch (text) {
		case "\\w":
		case "\\W": {
			const word = isInside ? wordRanges() : unionOf(wordRanges(), MORE_OF_WORD);
			return text === "\\w" ? word : complementOf(word);
		}
		case "\\d":
		case "[:digit:]":
			return unionOfCategories("Nd");
		case "\\D":
			return complementOf(unionOfCategories("Nd"));
		case "[:alpha:]":
			return readRanges(ALPHABETIC);
		case "[:alnum:]":
			return unionOf(readRanges(ALPHABETIC), unionOfCategories("Nd"));
		case "[:punct:]":
			return unionOfCategories("P", "S");
		case "[:word:]":
			return wordRanges();
		default:
			return undefined;
	}
}

/**
 * Writes groups in which case doesn't count, `(?i:…)`, without that flag.
 * @throws Error if such a group has more than ASCII letters, signs and classes of single letters
 */
function foldCases(pattern: string): string {
	return pattern.replaceAll(/\(\?i:((?:[^()\\]|\\[^pPwWxu])*)\)/g, (_, group: string) => {
		if (LIGATURES.test(group) || /[^\0-~]|[A-Za-z]-|-[A-Za-z]/.test(group)) throw new Error(`(?i:${group})`);
		let isInside = false;
		const folded = group.replaceAll(/\\.|[[\]A-Za-z]/g, (text) => {
			if (text === "[" || text === "]") isInside = text === "[";
			if (!/^[A-Za-z]$/.test(text)) return text;
			const all = `${text.toLowerCase()}${text.toUpperCase()}${OTHER_CASES[text.toLowerCase()] ?? ""}`;
			return isInside ? all : `[${all}]`;
		});
		return `(?:${folded})`;
	});
}

/** Puts the classes in the places of their placeholders; those outside of `[…]` become classes of their own. */
function insertClasses(pattern: string, classes: readonly string[]): string {
	let isInside = false;
	return pattern.replaceAll(/\\.|[[\]]|[\u{10ff00}-\u{10ffff}]/gu, (text) => {
		if (text === "[" || text === "]") isInside = text === "[";
		const content = classes[(text.codePointAt(0) as number) - FIRST_PLACEHOLDER];
		return content === undefined ? text : isInside ? content : `[${content}]`;
	});
}
