import { ALPHABETIC, CATEGORY_RUNS } from "./unicode-tables.ts";

/** First and last code point of each range, in ascending order. */
export type CodePointRanges = readonly (readonly [first: number, last: number])[];

/** Names of the general categories, in the order of their letters in `CATEGORY_RUNS`. */
const CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split(" ");
const CATEGORY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#%";

const POINTS = 0x110000;

/** Returns the ranges of a text of gaps and lengths by turns, in base 36. */
export function readRanges(text: string): CodePointRanges {
	const numbers = text.split(" ").map((digits) => Number.parseInt(digits, 36));
	const ranges: [number, number][] = [];
	for (let i = 0, end = 0; i + 1 < numbers.length; i += 2) {
		const first = end + (numbers[i] as number);
		end = first + (numbers[i + 1] as number);
		ranges.push([first, end - 1]);
	}
	return ranges;
}

/**
 * Returns the code points of general categories of Unicode 16.
 * @param name a category, for example "Lu", or the first letter of several; undefined is returned for any other name
 */
export function categoryRanges(name: string): CodePointRanges | undefined {
	const asked = CATEGORIES.map((category) => category === name || category[0] === name);
	if (!asked.includes(true)) return undefined;
	const ranges: [number, number][] = [];
	let start = 0;
	for (const [, letter = "", length] of CATEGORY_RUNS.matchAll(/([A-Z!#%])([0-9a-z]*)/g)) {
		const end = start + (length ? Number.parseInt(length, 36) : 1);
		const last = ranges.at(-1);
		if (asked[CATEGORY_LETTERS.indexOf(letter)] === true) {
			if (last?.[1] === start - 1) last[1] = end - 1;
			else ranges.push([start, end - 1]);
		}
		start = end;
	}
	return ranges;
}

/** Returns all other code points. */
export function complementOf(ranges: CodePointRanges): CodePointRanges {
	const others: [number, number][] = [];
	let start = 0;
	for (const [first, last] of ranges) {
		if (first > start) others.push([start, first - 1]);
		start = Math.max(start, last + 1);
	}
	if (start < POINTS) others.push([start, POINTS - 1]);
	return others;
}

/** Returns the union of several classes, in ascending order. */
export function unionOf(...classes: readonly CodePointRanges[]): CodePointRanges {
	const ranges = classes.flat().sort(([a], [b]) => a - b);
	const union: [number, number][] = [];
	for (const [first, last] of ranges) {
		const before = union.at(-1);
		if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
		else union.push([first, last]);
	}
	return union;
}

/**
 * Returns the code points of any of some general categories of Unicode 16.
 * @param names as for `categoryRanges`
 */
export function unionOfCategories(...names: readonly string[]): CodePointRanges {
	return unionOf(...names.map((name) => categoryRanges(name) ?? []));
}

/** Formats ranges as the content of a character class of a regular expression with the flag u. */
export function formatClass(ranges: CodePointRanges): string {
	const written = (point: number) => `\\u{${point.toString(16)}}`;
	return ranges.map(([a, b]) => (a === b ? written(a) : `${written(a)}-${written(b)}`)).join("");
}

/** Reads ranges as `readRanges`, and formats them as `formatClass`. */
export function readClass(text: string): string {
	return formatClass(readRanges(text));
}

/**
 * Letters and numbers of Unicode 16 (general categories L and N), as the content of a character class of a regular
 * expression with the flag u. GPT-2's words depend on them. tiktoken 0.14 has the same classes.
 */
export const LETTERS: string = formatClass(unionOfCategories("L"));
export const NUMBERS: string = formatClass(unionOfCategories("N"));

/** Returns the characters that `\w` means in a class of a pattern: Alphabetic, marks, digits and connectors. */
export function wordRanges(): CodePointRanges {
	return unionOf(readRanges(ALPHABETIC), unionOfCategories("M", "Nd", "Pc"));
}
