import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { status as Status, type StatusObject } from "@grpc/grpc-js";
import { TailtuneError } from "../../shared/errors.ts";
import { refusalOf, type TokenRule } from "../../shared/rpc/authorization.ts";
import type { CallLimits } from "../../shared/rpc/config.ts";
import { Refusal, type RefusalReason } from "../../shared/rpc/refusal.ts";
import { statusOf, toStatus } from "../../shared/rpc/status.ts";
import { type HeldBytes, meterRequest } from "./request-meter.ts";
import type { RpcService } from "./rpc-service.ts";

export interface CallGateOptions {
	readonly services: readonly RpcService[];
	/** Undefined: calls need no token. */
	readonly tokens: readonly TokenRule[] | undefined;
	readonly limits: CallLimits;
	/** Called for each call that is refused by its headers. */
	readonly onRefused: (reason: RefusalReason) => void;
}

interface Method {
	readonly isStream: boolean;
	readonly isOpen: boolean;
	readonly maxCallBytes: number;
}

/**
 * Accepts or refuses each call by its headers, so that a refused call costs no memory for its body. The requests of an
 * accepted call are metered, and it is ended if its client doesn't read the answer.
 */
export class CallGate {
	readonly #options: CallGateOptions;
	readonly #methods = new Map<string, Method>();
	readonly #held: HeldBytes = { bytes: 0 };
	#calls = 0;
	#openCalls = 0;

	constructor(options: CallGateOptions) {
		this.#options = options;
		for (const { definition, isOpen = false, maxCallBytes = Number.POSITIVE_INFINITY } of options.services)
			for (const { path, requestStream } of Object.values(definition))
				this.#methods.set(path, { isStream: requestStream, isOpen, maxCallBytes });
	}

	/** Number of unfinished calls, and bytes of their requests in memory. */
	get load(): { readonly calls: number; readonly heldBytes: number } {
		return { calls: this.#calls, heldBytes: this.#held.bytes };
	}

	/**
	 * Accepts or refuses a call.
	 * @param rawHeaders names and values alternately
	 * @param accept passes the call to the server
	 */
	enter(
		stream: ServerHttp2Stream,
		headers: IncomingHttpHeaders,
		rawHeaders: readonly string[],
		accept: () => void,
	): void {
		stream.on("error", () => {}); // whatever breaks a stream closes it too
		// If the library can't send its answer, the call would stay open without one.
		stream.on("frameError", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
		const path = headers[":path"] ?? "";
		const method = this.#methods.get(path);
		const status = this.#statusOf(path, method, headers, rawHeaders);
		if (status) refuse(stream, status);
		if (!method || status) return;
		this.#count(stream, method);
		accept();
		if (!stream.closed) this.#watch(stream, path, method);
	}

	/** The status of a refused call; undefined if it is accepted. */
	#statusOf(
		path: string,
		method: Method | undefined,
		headers: IncomingHttpHeaders,
		rawHeaders: readonly string[],
	): StatusObject | undefined {
		const { tokens, limits, onRefused } = this.#options;
		const headerBytes = rawHeaders.reduce((sum, text) => sum + text.length, 0);
		if (headerBytes > limits.headerBytes)
			return invalid(`found ${headerBytes} bytes of headers, expected at most ${limits.headerBytes}`);
		const refusal =
			(method?.isOpen ? undefined : tokens && refusalOf(headers.authorization, path, tokens)) ??
			this.#refusalWhenFull(path, method);
		if (refusal) {
			onRefused(refusal.reason);
			return toStatus(refusal);
		}
		if (!method) return statusOf(Status.UNIMPLEMENTED, `${path}: no such method here`);
		// A few compressed bytes may be megabytes.
		const isPacked = (headers["grpc-encoding"] ?? "identity") !== "identity";
		if (isPacked && Number.isFinite(method.maxCallBytes))
			return invalid(`${path}: found a compressed request, expected a plain one`);
		return undefined;
	}

	#refusalWhenFull(path: string, method: Method | undefined): Refusal | undefined {
		const { calls, openCalls } = this.#options.limits;
		const isFull = this.#calls >= calls || (method?.isOpen && this.#openCalls >= openCalls);
		return isFull ? new Refusal("REFUSAL_TOO_MANY", `${path}: too many unfinished calls; try again later`) : undefined;
	}

	#count(stream: ServerHttp2Stream, { isOpen }: Method): void {
		this.#calls++;
		if (isOpen) this.#openCalls++;
		stream.once("close", () => {
			this.#calls--;
			if (isOpen) this.#openCalls--;
		});
	}

	#watch(stream: ServerHttp2Stream, path: string, { isStream, maxCallBytes }: Method): void {
		const { messageMs, heldBytes: maxHeldBytes } = this.#options.limits;
		const statuses = {
			call: () => invalid(`${path}: expected at most ${maxCallBytes} bytes in a call`),
			held: () =>
				toStatus(new Refusal("REFUSAL_TOO_MANY", `${path}: too many bytes of unfinished requests; try again later`)),
			time: () => statusOf(Status.DEADLINE_EXCEEDED, `${path}: the request took longer than ${messageMs} ms`),
		};
		const onExcess = (excess: keyof typeof statuses) => refuse(stream, statuses[excess]());
		endUnread(stream, messageMs);
		meterRequest(stream, { isStream, maxCallBytes, messageMs, held: this.#held, maxHeldBytes, onExcess });
	}
}

/** Ends a call when its client has read no part of the answer for some time. A call without an answer isn't ended. */
function endUnread(stream: ServerHttp2Stream, ms: number): void {
	stream.setTimeout(ms);
	stream.on("timeout", () => {
		if (stream.writableLength > 0) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
		else stream.setTimeout(ms);
	});
}

function invalid(message: string): StatusObject {
	return toStatus(new TailtuneError("data", message));
}

/** Ends a call with a status, even if the client is still sending. */
function refuse(stream: ServerHttp2Stream, { code, details, metadata }: StatusObject): void {
	if (stream.closed || stream.destroyed) return;
	if (stream.headersSent) {
		stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
		return;
	}
	const status = { "grpc-status": code, "grpc-message": encodeURI(details), ...metadata.toHttp2Headers() };
	stream.respond({ ":status": 200, "content-type": "application/grpc+proto", ...status }, { endStream: true });
	stream.close(constants.NGHTTP2_NO_ERROR);
	stream.resume(); // it is closed for good when what has come is read
}
