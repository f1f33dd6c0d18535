import type { z } from "zod";
import { describeFault } from "./describe-issue.ts";
import { type ErrorCode, TailtuneError } from "./errors.ts";

/**
 * Checks a value against a schema.
 * @param place of the value, for example the file, and the line if it has several
 * @param code of the error
 * @returns the value as the schema reads it
 * @throws TailtuneError that names the place, the field, the value found and the value expected
 */
export function checkValue<T>(schema: z.ZodType<T>, value: unknown, place: string, code: ErrorCode): T {
	const { success, data, error } = schema.safeParse(value, { reportInput: true });
	if (success) return data;
	throw new TailtuneError(code, `${place}: ${describeFault(error.issues[0] as z.core.$ZodIssue)}`, { cause: error });
}
