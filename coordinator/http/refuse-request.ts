import { status as Status } from "@grpc/grpc-js";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { toStatus } from "../../shared/rpc/status.ts";

/** HTTP status for each gRPC status that a call can end with; 500 for others. */
const HTTP_STATUS: Readonly<Partial<Record<Status, ContentfulStatusCode>>> = {
	[Status.INVALID_ARGUMENT]: 400,
	[Status.UNAUTHENTICATED]: 401,
	[Status.PERMISSION_DENIED]: 403,
	[Status.NOT_FOUND]: 404,
	[Status.RESOURCE_EXHAUSTED]: 429,
	[Status.UNAVAILABLE]: 503,
};

/** Answers a request with an error, as JSON with the code and the message of gRPC. */
export function refuseRequest(context: Context, error: unknown): Response {
	const { code, details } = toStatus(error);
	return context.json({ code: Status[code], message: details }, HTTP_STATUS[code] ?? 500);
}
