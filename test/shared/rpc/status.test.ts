import { type Metadata, status as Status } from "@grpc/grpc-js";
import test from "ava";
import { Refusal as RefusalNames } from "../../../proto/gen/tailtune/v1/Refusal.ts";
import { ERROR_CODES, type ErrorCode, TailtuneError } from "../../../shared/errors.ts";
import { REFUSALS, Refusal, type RefusalReason } from "../../../shared/rpc/refusal.ts";
import { fromServiceError, STATUS_OF_CODE, toStatus } from "../../../shared/rpc/status.ts";

/** Returns the error that a gRPC client gets for a status. */
function serviceError(status: { code: Status; details: string; metadata: Metadata }) {
	return Object.assign(new Error(`${status.code} ${status.details}`), status);
}

test("every error code has a status, from which the client gets the same code", (t) => {
	t.deepEqual(Object.keys(STATUS_OF_CODE).sort(), Object.keys(ERROR_CODES).sort());
	for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
		const back = fromServiceError(serviceError(toStatus(new TailtuneError(code, "row 3: found x, expected y"))));
		t.like(back, { code, message: "row 3: found x, expected y" });
	}
});

test("every refusal of the proto has a status, from which the client gets the same reason", (t) => {
	const reasons = Object.keys(RefusalNames).filter((name) => name !== "REFUSAL_UNSPECIFIED");
	t.deepEqual(Object.keys(REFUSALS), reasons);
	for (const reason of reasons as RefusalReason[]) {
		const status = toStatus(new Refusal(reason, "why"));
		t.is(status.code, Status[REFUSALS[reason].status]);
		t.like(fromServiceError(serviceError(status)), { reason, code: REFUSALS[reason].code, message: "why" });
	}
});

test("the text of an unexpected error isn't sent to the client", (t) => {
	const status = toStatus(new Error("/home/me/secret: ENOENT"));
	t.like(status, { code: Status.INTERNAL, details: "internal error" });
});

test("an error without our code is described by its status, in one line", (t) => {
	const { metadata } = toStatus(new Error());
	for (const [code, expected] of [
		[Status.UNAVAILABLE, "offline"],
		[Status.UNAUTHENTICATED, "denied"],
		[Status.INTERNAL, "protocol"],
	] as const) {
		const error = fromServiceError(serviceError({ code, details: "no\nconnection", metadata }));
		t.like(error, { code: expected, message: `gRPC ${Status[code]}: no connection` });
	}
	t.like(fromServiceError(new Error("boom")), { code: "protocol" });
});

test("a text too long for a header is cut, also in the middle of a character", (t) => {
	const { details } = toStatus(new TailtuneError("not-found", `model "${"x".repeat(100_000)}" isn't served`));
	t.is(details.length, 500);
	t.regex(details, /^model "x+…$/);
	t.is(toStatus(new TailtuneError("data", "y".repeat(500))).details, "y".repeat(500));
	t.is(toStatus(new TailtuneError("data", `${"y".repeat(498)}😀 and more`)).details, `${"y".repeat(498)}\uFFFD…`);
});
