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
 * The error code of each status that arrives without our own code, from the library or a proxy. Others mean "protocol".
 * A connection that fails because of a certificate is "denied", because trying again doesn't help.
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
 * Most characters of a status text. It is sent in a header, in which one character takes up to 9 bytes, and clients
 * accept 8 KiB of headers. A text of 100 KB could not be sent at all, and the call did not end.
 */
const LONGEST_DETAILS = 500;

/**
 * The status that ends a call with this error. Texts of errors that aren't ours are not sent, because they may contain
 * internal details.
 */
export function toStatus(error: unknown): StatusObject {
	if (!(error instanceof TailtuneError)) return statusOf(Status.INTERNAL, "internal error");
	if (!(error instanceof Refusal)) return statusOf(STATUS_OF_CODE[error.code], error.message, error.code);
	const status = statusOf(Status[REFUSALS[error.reason].status], error.message, error.code);
	status.metadata.set(REFUSAL_KEY, error.reason);
	return status;
}

/** A status that ends a call; its text is cut to 500 characters. @param code our error code, if there is one */
export function statusOf(status: Status, text: string, code?: ErrorCode): StatusObject {
	const metadata = new Metadata();
	if (code !== undefined) metadata.set(CODE_KEY, code);
	const start = text.length > LONGEST_DETAILS ? `${text.slice(0, LONGEST_DETAILS - 1)}…` : text;
	// Half a surrogate pair can't be written in a header.
	return { code: status, details: start.replaceAll(/\p{Surrogate}/gu, "\uFFFD"), metadata };
}

/** The error of a failed call: a Refusal if the status has a reason, otherwise a TailtuneError. */
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
