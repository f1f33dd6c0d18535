import type { z } from "zod";

// Values from files can be of any size.
const LONGEST_FOUND = 80;

const TYPE_WORDS: Readonly<Record<string, string>> = {
	int: "a whole number",
	boolean: "true or false",
	string: "a text",
	array: "a list",
	tuple: "a list",
	object: "an object",
	record: "an object",
	null: "null",
	undefined: "nothing",
	never: "nothing",
};

const FORMAT_WORDS: Readonly<Record<string, string>> = {
	size: "a number of bytes, or a size as in 512MiB or 2GiB",
	separator: "a separator of 1 to 8 characters",
	datetime: "a time in UTC as in 2026-03-14T15:09:00Z",
};

/**
 * Names the field of a schema's issue and describes the issue, as in `trials.0.score: found "x", expected a number`.
 * @param describe `describeExpected` if the value is a secret; default: the value found is described too
 */
export function describeFault(issue: z.core.$ZodIssue, describe = describeIssue): string {
	const isUnknown = issue.code === "unrecognized_keys";
	const field = [...issue.path, ...(isUnknown ? issue.keys.slice(0, 1) : [])].map(String).join(".");
	const fault = isUnknown ? "unknown field" : describe(issue);
	return field === "" ? fault : `${field}: ${fault}`;
}

/**
 * Describes a schema's issue as "found X, expected Y". The schema must have been called with `reportInput`; otherwise
 * the value found counts as nothing.
 */
export function describeIssue(issue: z.core.$ZodIssue): string {
	return `found ${describeFound(issue.input)}, ${describeExpected(issue)}`;
}

function describeFound(value: unknown): string {
	// JSON has no NaN and no Infinity.
	const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
	return text.length > LONGEST_FOUND ? `${text.slice(0, LONGEST_FOUND)}...` : text;
}

/** Returns what a schema expected at the place of an issue, as "expected Y". */
export function describeExpected(issue: z.core.$ZodIssue): string {
	// Messages of our own schemas begin with this word; those of the library aren't for our users.
	if (issue.message.startsWith("expected ")) return issue.message;
	return `expected ${expectation(issue)}`;
}

function expectation(issue: z.core.$ZodIssue): string {
	switch (issue.code) {
		case "invalid_value":
			return issue.values.length > 1 ? `one of ${issue.values.join(", ")}` : JSON.stringify(issue.values[0]);
		case "invalid_union":
			return alternatives(issue);
		case "too_small":
			return limit(issue.origin, issue.inclusive ? "at least" : "more than", issue.minimum);
		case "too_big":
			return limit(issue.origin, issue.inclusive ? "at most" : "less than", issue.maximum);
		case "not_multiple_of":
			return `a multiple of ${issue.divisor}`;
		case "invalid_type":
			return TYPE_WORDS[issue.expected] ?? `a ${issue.expected}`;
		case "invalid_format":
			return FORMAT_WORDS[issue.format] ?? `a text of the format ${issue.format}`;
		case "invalid_key":
		case "invalid_element":
			return issue.issues[0] ? expectation(issue.issues[0]) : "another name";
		default:
			return "another value";
	}
}

function alternatives(issue: z.core.$ZodIssueInvalidUnion): string {
	const expected = issue.errors.flatMap(([first]) => (first ? describeExpected(first).replace(/^expected /, "") : []));
	// Without errors, a field decides which of several objects it is.
	return expected.length > 0 ? expected.join(", or ") : "one of the values of this field";
}

function limit(origin: string, comparison: string, bound: number | bigint): string {
	const count = Number(bound) === 1 ? "one" : String(bound);
	const plural = count === "one" ? "" : "s";
	if (origin === "string") return `${comparison} ${count} character${plural}`;
	if (origin === "array") return `${comparison} ${count} value${plural}`;
	return `${comparison} ${bound}`;
}
