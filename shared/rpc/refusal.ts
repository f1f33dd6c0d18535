import { status as Status } from "@grpc/grpc-js";
import type { Refusal as RefusalName } from "../../proto/gen/tailtune/v1/Refusal.ts";
import { type ErrorCode, TailtuneError } from "../errors.ts";

/** Reasons of refusals: the closed list of proto/tailtune/v1/refusal.proto. */
export type RefusalReason = Exclude<RefusalName, "REFUSAL_UNSPECIFIED">;

interface RefusalKind {
	readonly status: Status;
	readonly code: ErrorCode;
}

/** The gRPC status and the error code of each reason. */
export const REFUSALS: Readonly<Record<RefusalReason, RefusalKind>> = {
	REFUSAL_TOKEN: { status: Status.UNAUTHENTICATED, code: "denied" },
	REFUSAL_PROTOCOL_VERSION: { status: Status.FAILED_PRECONDITION, code: "protocol" },
	REFUSAL_UNKNOWN_RUN: { status: Status.NOT_FOUND, code: "protocol" },
	REFUSAL_SCHEMA: { status: Status.FAILED_PRECONDITION, code: "protocol" },
	REFUSAL_STALE_VERSION: { status: Status.FAILED_PRECONDITION, code: "protocol" },
	REFUSAL_NOT_EXPECTED: { status: Status.FAILED_PRECONDITION, code: "protocol" },
	REFUSAL_MALFORMED: { status: Status.INVALID_ARGUMENT, code: "protocol" },
	REFUSAL_ORDER: { status: Status.INVALID_ARGUMENT, code: "protocol" },
	REFUSAL_LENGTH: { status: Status.INVALID_ARGUMENT, code: "protocol" },
	REFUSAL_NOT_FINITE: { status: Status.INVALID_ARGUMENT, code: "diverged" },
	REFUSAL_CHECKSUM: { status: Status.DATA_LOSS, code: "checksum" },
	REFUSAL_TOO_MANY: { status: Status.RESOURCE_EXHAUSTED, code: "busy" },
	REFUSAL_UNKNOWN_MODEL: { status: Status.NOT_FOUND, code: "not-found" },
	REFUSAL_UNKNOWN_FILE: { status: Status.NOT_FOUND, code: "not-found" },
	REFUSAL_OFFSET: { status: Status.OUT_OF_RANGE, code: "protocol" },
	REFUSAL_PERMISSION: { status: Status.PERMISSION_DENIED, code: "denied" },
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
