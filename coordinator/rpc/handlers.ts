import { debuglog } from "node:util";
import type {
	handleBidiStreamingCall,
	handleClientStreamingCall,
	handleServerStreamingCall,
	handleUnaryCall,
} from "@grpc/grpc-js";
import { Refusal, type RefusalReason } from "../../shared/rpc/refusal.ts";
import { UNREADABLE } from "../../shared/rpc/service.ts";
import { toStatus } from "../../shared/rpc/status.ts";
import { write } from "../../shared/rpc/write.ts";

/** Told of every call refused. */
export type OnRefused = (reason: RefusalReason) => void;

const log = debuglog("tailtune");

/**
 * A handler of calls with one message each way. What it throws ends the call with the status of that error. `signal`
 * aborts when the caller gives up or its deadline is over.
 */
export function unary<Request extends object, Response>(
	onRefused: OnRefused,
	answer: (request: Request, signal: AbortSignal) => Promise<Response>,
): handleUnaryCall<Request, Response> {
	return (call, callback) => {
		const ended = new AbortController();
		call.on("cancelled", () => ended.abort());
		Promise.resolve()
			.then(() => answer(checkReadable(call.request), ended.signal))
			.then(
				(response) => callback(null, response),
				(error) => callback(explain(error, onRefused)),
			);
	};
}

/** A handler that answers a message by a stream, at the pace of whoever reads it. `signal` aborts when the call ends early. */
export function serverStream<Request extends object, Response>(
	onRefused: OnRefused,
	answer: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
	return (call) => {
		const ended = new AbortController();
		call.on("cancelled", () => ended.abort());
		const stream = async () => {
			for await (const response of answer(checkReadable(call.request), ended.signal)) {
				await write(call, response, ended.signal);
				if (ended.signal.aborted) return;
			}
			call.end();
		};
		stream().catch((error) => {
			if (!ended.signal.aborted) call.emit("error", explain(error, onRefused));
		});
	};
}

/**
 * A handler that reads a stream and then answers once. What it doesn't read waits at the sender. It may call `interrupt`
 * to end the reading with an error.
 */
export function clientStream<Request extends object, Response>(
	onRefused: OnRefused,
	answer: (requests: AsyncIterable<Request>, interrupt: (error: Error) => void) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
	return (call, callback) => {
		let interruption: Error | undefined;
		let cutOff = false;
		call.on("cancelled", () => {
			cutOff = true;
		});
		const interrupt = (error: Error) => {
			interruption ??= error;
			call.destroy();
		};
		answer(call as AsyncIterable<Request>, interrupt).then(
			(response) => callback(null, response),
			// The stream of a client that dies ends like that of one that is done; a turn later it is known to be cut off.
			(error) =>
				setImmediate(() => {
					if (!cutOff) callback(explain(interruption ?? error, onRefused));
				}),
		);
	};
}

/**
 * A handler that answers a stream by a stream, each at the pace of the other. `signal` aborts when the caller gives up or
 * its deadline is over.
 */
export function duplexStream<Request extends object, Response>(
	onRefused: OnRefused,
	answer: (requests: AsyncIterable<Request>, signal: AbortSignal) => AsyncIterable<Response>,
): handleBidiStreamingCall<Request, Response> {
	return (call) => {
		const ended = new AbortController();
		call.on("cancelled", () => ended.abort());
		// The end of what is read must not end what is written.
		const requests: AsyncIterable<Request> = call.iterator({ destroyOnReturn: false });
		const stream = async () => {
			for await (const response of answer(requests, ended.signal)) {
				await write(call, response, ended.signal);
				if (ended.signal.aborted) return;
			}
			call.end();
		};
		stream().catch((error) => {
			if (!ended.signal.aborted) call.emit("error", explain(error, onRefused));
		});
	};
}

/** The message itself. Throws a Refusal where the bytes were none. */
export function checkReadable<Message extends object>(message: Message): Message {
	if (message === UNREADABLE)
		throw new Refusal(
			"REFUSAL_MALFORMED",
			"the bytes received are no such message, or hold text that is too long or isn't UTF-8",
		);
	return message;
}

function explain(error: unknown, onRefused: OnRefused) {
	if (error instanceof Refusal) onRefused(error.reason);
	else log("call failed: %o", error);
	return toStatus(error);
}
