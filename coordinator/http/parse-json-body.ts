import type { z } from "zod";
import { describeExpected, describeFault } from "../../shared/describe-issue.ts";
import { TailtuneError } from "../../shared/errors.ts";

/**
 * Parses the body of a request.
 * @throws TailtuneError "data" that names the field, but not its value, which may be a confidential text
 */
export function parseJsonBody<Body>(bytes: ArrayBuffer, schema: z.ZodType<Body>): Body {
	let body: unknown;
	try {
		body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch (cause) {
		throw new TailtuneError("data", "body: not JSON in UTF-8", { cause });
	}
	const { success, data, error } = schema.safeParse(body);
	if (success) return data;
	const fault = describeFault(error.issues[0] as z.core.$ZodIssue, describeExpected);
	throw new TailtuneError("data", fault.startsWith("expected ") ? `body: ${fault}` : fault);
}
