import { z } from "zod";

/** What happens to the parts of a text that match a pattern. */
export const splitBehavior = z.enum(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]);

export type SplitBehavior = z.infer<typeof splitBehavior>;

/** Places of a text: a part that matches a pattern, or the text between two such parts. */
interface Span {
	start: number;
	end: number;
	readonly matches: boolean;
}

/**
 * Splits a text at the matches of a pattern.
 * @param pattern with the flag g
 * @param invert whether the texts between matches count as matches, and matches don't
 */
export function splitText(text: string, pattern: RegExp, behavior: SplitBehavior, invert = false): string[] {
	const spans: Span[] = [];
	let end = 0;
	// Not matchAll, which copies a long pattern for each text.
	pattern.lastIndex = 0;
	for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
		if (match[0] === "") pattern.lastIndex += (text.codePointAt(match.index) ?? 0) > 0xffff ? 2 : 1;
		if (match.index > end) spans.push({ start: end, end: match.index, matches: invert });
		end = match.index + match[0].length;
		spans.push({ start: match.index, end, matches: !invert });
	}
	if (end < text.length) spans.push({ start: end, end: text.length, matches: invert });
	return mergeSpans(spans, behavior)
		.filter((span) => span.end > span.start)
		.map((span) => text.slice(span.start, span.end));
}

/** Returns the source of a regular expression with the flag u that matches exactly a text. */
export function escapePattern(text: string): string {
	// Not the hyphen, which mustn't be escaped outside of a class.
	return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function mergeSpans(spans: readonly Span[], behavior: SplitBehavior): readonly Span[] {
	switch (behavior) {
		case "Removed":
			return spans.filter(({ matches }) => !matches);
		case "Isolated":
			return spans;
		case "MergedWithPrevious":
			return mergeIf(spans, (before, span) => span.matches && !before.matches);
		case "MergedWithNext":
			return mergeBackwards(spans);
		case "Contiguous":
			return mergeIf(spans, (before, span) => span.matches === before.matches);
	}
}

/** Appends each span to the one before if a function says so. */
function mergeIf(spans: readonly Span[], belongs: (before: Span, span: Span) => boolean): Span[] {
	const merged: Span[] = [];
	for (const [i, span] of spans.entries()) {
		const before = spans[i - 1];
		if (before && belongs(before, span)) (merged.at(-1) as Span).end = span.end;
		else merged.push({ ...span });
	}
	return merged;
}

/** Puts each match before the text that follows it, unless that is a match too. */
function mergeBackwards(spans: readonly Span[]): Span[] {
	const merged: Span[] = [];
	for (let i = spans.length - 1; i >= 0; i--) {
		const span = spans[i] as Span;
		if (span.matches && spans[i + 1]?.matches === false) (merged.at(-1) as Span).start = span.start;
		else merged.push({ ...span });
	}
	return merged.reverse();
}
