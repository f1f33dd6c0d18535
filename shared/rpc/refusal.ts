import type { status as Status } from "@grpc/grpc-js";
import type { Refusal as RefusalName } from "../../proto/gen/tailtune/v1/Refusal.ts";
import { type ErrorCode, TailtuneError } from "../errors.ts";

/** Reasons of refusals: the closed list of proto/tailtune/v1/refusal.proto. */
export type RefusalReason = Exclude<RefusalName, "REFUSAL_UNSPECIFIED">;

interface RefusalKind {
	readonly status: keyof typeof Status;
	readonly code: ErrorCode;
}

/** The gRPC status and the error code of each reason. */
export const REFUSALS: Readonly<Record<RefusalReason, RefusalKind>> = {
	REFUSAL_TOKEN: { status: "UNAUTHENTICATED", code: "denied" },
	REFUSAL_PROTOCOL_VERSION: { status: "FAILED_PRECONDITION", code: "protocol" },
	REFUSAL_UNKNOWN_RUN: { status: "NOT_FOUND", code: "protocol" },
	REFUSAL_SCHEMA: { status: "FAILED_PRECONDITION", code: "protocol" },
	REFUSAL_STALE_VERSION: { status: "FAILED_PRECONDITION", code: "protocol" },
	REFUSAL_NOT_EXPECTED: { status: "FAILED_PRECONDITION", code: "protocol" },
	REFUSAL_MALFORMED: { status: "INVALID_ARGUMENT", code: "protocol" },
	REFUSAL_ORDER: { status: "INVALID_ARGUMENT", code: "protocol" },
	REFUSAL_LENGTH: { status: "INVALID_ARGUMENT", code: "protocol" },
	REFUSAL_NOT_FINITE: { status: "INVALID_ARGUMENT", code: "diverged" },
	REFUSAL_CHECKSUM: { status: "DATA_LOSS", code: "checksum" },
	REFUSAL_TOO_MANY: { status: "RESOURCE_EXHAUSTED", code: "busy" },
	REFUSAL_UNKNOWN_MODEL: { status: "NOT_FOUND", code: "not-found" },
	REFUSAL_UNKNOWN_FILE: { status: "NOT_FOUND", code: "not-found" },
	REFUSAL_OFFSET: { status: "OUT_OF_RANGE", code: "protocol" },
	REFUSAL_PERMISSION: { status: "PERMISSION_DENIED", code: "denied" },
	REFUSAL_DIVERGED: { status: "DATA_LOSS", code: "checksum" },
};

/** The error of a refused call or message; programs decide by `reason`. */
export class Refusal extends TailtuneError {
	readonly reason: RefusalReason;

	constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
		super(REFUSALS[reason].code, message, options);
		this.reason = reason;
	}
}

/** Whether a received name is one of the reasons. */
export function isRefusalReason(name: unknown): name is RefusalReason {
	return typeof name === "string" && Object.hasOwn(REFUSALS, name);
}

/** Whether an answer was refused because it is no longer needed: its item has an answer, or its run is over. */
export function isUnwanted(error: unknown): boolean {
	if (!(error instanceof Refusal)) return false;
	return error.reason === "REFUSAL_NOT_EXPECTED" || error.reason === "REFUSAL_UNKNOWN_RUN";
}

/** Whether an answer was refused because it was computed with other parameters than the coordinator's. */
export function hasDiverged(error: unknown): boolean {
	return error instanceof Refusal && error.reason === "REFUSAL_DIVERGED";
}
