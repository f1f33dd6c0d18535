import { Metadata, type ServiceError, status as Status, type StatusObject } from "@grpc/grpc-js";
import { type ErrorCode, TailtuneError, toErrorCode } from "../errors.ts";
import { isRefusalReason, REFUSALS, Refusal } from "./refusal.ts";

/** The gRPC status of each error code. */
export const STATUS_OF_CODE: Readonly<Record<ErrorCode, Status>> = {
	usage: Status.INVALID_ARGUMENT,
	data: Status.INVALID_ARGUMENT,
	model: Status.FAILED_PRECONDITION,
	"not-found": Status.NOT_FOUND,
	offline: Status.UNAVAILABLE,
	checksum: Status.DATA_LOSS,
	busy: Status.RESOURCE_EXHAUSTED,
	diverged: Status.ABORTED,
	disk: Status.INTERNAL,
	interrupted: Status.CANCELLED,
	protocol: Status.FAILED_PRECONDITION,
	denied: Status.PERMISSION_DENIED,
	engine: Status.INTERNAL,
};

/**
 * What a status means that came without our own code, from the library or a proxy. The others are "protocol", and a
 * connection that can't be had for its certificate is "denied": trying again is of no use.
 */
const CODE_OF_STATUS: Readonly<Partial<Record<Status, ErrorCode>>> = {
	[Status.UNAVAILABLE]: "offline",
	[Status.DEADLINE_EXCEEDED]: "offline",
	[Status.CANCELLED]: "interrupted",
	[Status.UNAUTHENTICATED]: "denied",
	[Status.PERMISSION_DENIED]: "denied",
	[Status.NOT_FOUND]: "not-found",
	[Status.RESOURCE_EXHAUSTED]: "busy",
};

const CODE_KEY = "tailtune-code";
const REFUSAL_KEY = "tailtune-refusal";

/**
 * An error as the status that ends a call. The text of errors that aren't ours stays here: it may tell more than the
 * caller should know.
 */
export function toStatus(error: unknown): StatusObject {
	const metadata = new Metadata();
	if (!(error instanceof TailtuneError)) return { code: Status.INTERNAL, details: "internal error", metadata };
	metadata.set(CODE_KEY, error.code);
	if (!(error instanceof Refusal)) return { code: STATUS_OF_CODE[error.code], details: error.message, metadata };
	metadata.set(REFUSAL_KEY, error.reason);
	return { code: REFUSALS[error.reason].status, details: error.message, metadata };
}

/** The error that a call ended with: a Refusal where the status says why, else a TailtuneError. */
export function fromServiceError(error: unknown): TailtuneError {
	if (error instanceof TailtuneError) return error;
	if (!isServiceError(error)) return new TailtuneError("protocol", `gRPC: ${String(error)}`, { cause: error });
	const [reason] = error.metadata.get(REFUSAL_KEY);
	if (isRefusalReason(reason)) return new Refusal(reason, error.details, { cause: error });
	const [code] = error.metadata.get(CODE_KEY);
	if (typeof code === "string") return new TailtuneError(toErrorCode(code), error.details, { cause: error });
	const message = `gRPC ${Status[error.code]}: ${error.details.replaceAll(/\s+/g, " ")}`;
	const isTls = error.code === Status.UNAVAILABLE && /certificate|\b(SSL|TLS)\b/i.test(message);
	return new TailtuneError(isTls ? "denied" : (CODE_OF_STATUS[error.code] ?? "protocol"), message, { cause: error });
}

function isServiceError(error: unknown): error is ServiceError {
	return error instanceof Error && "metadata" in error && error.metadata instanceof Metadata;
}
