import { Refusal } from "../../shared/rpc/refusal.ts";

/** Whether a state or an update is wrong or isn't kept any more: the state then has to be read from its beginning. */
export function isWrongOrOver(error: unknown): boolean {
	return error instanceof Refusal && error.reason !== "REFUSAL_TOO_MANY";
}
