import type { ClientWritableStream, ServiceError } from "@grpc/grpc-js";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { fromServiceError } from "../../shared/rpc/status.ts";
import { write } from "../../shared/rpc/write.ts";

export interface SendOptions {
	/** Cancels the call when it aborts. */
	readonly signal: AbortSignal;
	/** Longest time, in milliseconds, in which the server neither accepts a message nor answers. */
	readonly silenceMs: number;
}

/**
 * Sends the messages of a call with one answer, waiting for the receiver. If creating a message fails, the call is
 * cancelled, so that the receiver frees its resources.
 * @throws TailtuneError if the call fails or a message can't be created, "offline" if the server is silent for too long
 */
export function sendAll<Request, Response>(
	begin: (callback: (error: ServiceError | null, response?: Response) => void) => ClientWritableStream<Request>,
	messages: Iterable<Request>,
	{ signal, silenceMs }: SendOptions,
): Promise<Response> {
	return new Promise((resolve, reject) => {
		const ended = new AbortController();
		const cancel = () => call.cancel();
		const silence = new SilenceLimit(silenceMs, cancel);
		const call = begin((error, response) => {
			ended.abort();
			silence.stop();
			signal.removeEventListener("abort", cancel);
			if (error) reject(silence.isOver ? silence.error : fromServiceError(error));
			else resolve(response as Response);
		});
		const send = async () => {
			for (const message of messages) {
				silence.wait();
				await write(call, message, ended.signal);
				if (ended.signal.aborted) return;
			}
			silence.wait();
			call.end();
		};
		call.on("error", () => {}); // the callback above gets the error
		signal.addEventListener("abort", cancel);
		if (signal.aborted) cancel();
		send().catch((error) => {
			reject(error);
			cancel();
		});
	});
}
