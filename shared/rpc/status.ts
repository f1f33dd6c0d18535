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
 * Characters of a status text. It travels in a header, where one character takes up to 9 bytes, and clients accept 8 KiB
 * of headers; a text of 100 KB could not be sent at all, and the call did not end.
 */
const LONGEST_DETAILS = 500;

/**
 * An error as the status that ends a call. The text of errors that aren't ours is not sent: it may tell more than the
 * caller should know.
 */
export function toStatus(error: unknown): StatusObject {
	if (!(error instanceof TailtuneError)) return statusOf(Status.INTERNAL, "internal error");
	if (!(error instanceof Refusal)) return statusOf(STATUS_OF_CODE[error.code], error.message, error.code);
	const status = statusOf(REFUSALS[error.reason].status, error.message, error.code);
	status.metadata.set(REFUSAL_KEY, error.reason);
	return status;
}

/** The status that ends a call, with a text that is cut to 500 characters. @param code ours, if there is one */
export function statusOf(status: Status, text: string, code?: ErrorCode): StatusObject {
	const metadata = new Metadata();
	if (code !== undefined) metadata.set(CODE_KEY, code);
	const start = text.length > LONGEST_DETAILS ? `${text.slice(0, LONGEST_DETAILS - 1)}…` : text;
	// Half of a surrogate pair can't be written into a header.
	return { code: status, details: start.replaceAll(/\p{Surrogate}/gu, "\uFFFD"), metadata };
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
