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
};

/**
 * Describes a schema's issue as "found X, expected Y". The schema must have been called with `reportInput`; otherwise
 * the value found counts as nothing.
 */
export function describeIssue(issue: z.core.$ZodIssue): string {
	const found = JSON.stringify(issue.input) ?? "nothing";
	return `found ${found.length > LONGEST_FOUND ? `${found.slice(0, LONGEST_FOUND)}...` : found}, ${expectation(issue)}`;
}

function expectation(issue: z.core.$ZodIssue): string {
	switch (issue.code) {
		case "invalid_value":
			return issue.values.length > 1
				? `expected one of ${issue.values.join(", ")}`
				: `expected ${JSON.stringify(issue.values[0])}`;
		case "invalid_union":
			return `expected ${issue.errors.map((of) => of[0] && expectation(of[0]).replace(/^expected /, "")).join(", or ")}`;
		case "too_small":
			if (issue.origin === "string") return "expected at least one character";
			if (issue.origin === "array") return `expected ${issue.minimum} values`;
			return `expected ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
		case "too_big":
			if (issue.origin === "array") return `expected ${issue.maximum} values`;
			if (issue.origin === "string") return `expected at most ${issue.maximum} characters`;
			return `expected ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
		case "invalid_type":
			return `expected ${TYPE_WORDS[issue.expected] ?? `a ${issue.expected}`}`;
		case "invalid_format":
			return "expected a number of bytes, or a size as in 512MiB or 2GiB";
		default:
			return issue.message;
	}
}
