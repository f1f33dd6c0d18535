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

/** Called for every refused call. */
export type OnRefused = (reason: RefusalReason) => void;

const log = debuglog("tailtune");

/**
 * Makes a handler of calls with one request and one answer. An error that `answer` throws ends the call with its
 * status. `signal` aborts when the caller cancels or its deadline has passed.
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

/**
 * Makes a handler with one request and a stream of answers, with back-pressure. `signal` aborts when the call ends
 * early.
 */
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
 * Makes a handler that reads a stream of requests and then answers once, with back-pressure. It may call `interrupt` to
 * end the reading with an error.
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
			// The stream of a client that dies ends like a finished one; one turn of the event loop later the call is
			// cancelled.
			(error) =>
				setImmediate(() => {
					if (!cutOff) callback(explain(interruption ?? error, onRefused));
				}),
		);
	};
}

/**
 * Makes a handler with a stream of requests and a stream of answers, with back-pressure. `signal` aborts when the
 * caller cancels or its deadline has passed.
 */
export function duplexStream<Request extends object, Response>(
	onRefused: OnRefused,
	answer: (requests: AsyncIterable<Request>, signal: AbortSignal) => AsyncIterable<Response>,
): handleBidiStreamingCall<Request, Response> {
	return (call) => {
		const ended = new AbortController();
		call.on("cancelled", () => ended.abort());
		// The end of the requests must not end the answers.
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

/** Returns the message. Throws a Refusal if its bytes could not be decoded. */
export function checkReadable<Message extends object>(message: Message): Message {
	if (message === UNREADABLE)
		throw new Refusal("REFUSAL_MALFORMED", "the message can't be decoded, or a text in it is too long or not UTF-8");
	return message;
}

function explain(error: unknown, onRefused: OnRefused) {
	if (error instanceof Refusal) onRefused(error.reason);
	else log("call failed: %o", error);
	return toStatus(error);
}
